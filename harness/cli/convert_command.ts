import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import type { InferValue } from "@optique/core/parser";
import { path } from "@optique/run/valueparser";
import { ARCHITECTURE_TYPES, CONVERSION_PARITY } from "../../train/mod.ts";
import { adapterOption } from "./options.ts";

const count = (min: number) => integer({ min, max: 0xffffffff, metavar: "N" });

/** `convert checkpoint --out folder [options]` */
export const convertCommand = command(
  "convert",
  object({
    command: constant("convert"),
    checkpoint: argument(string({ metavar: "CHECKPOINT" }), {
      description:
        message`Folder with config.json and safetensors weights, or a hub repository (owner/name).`,
    }),
    out: option("--out", path({ metavar: "FOLDER" }), {
      description: message`New folder to write.`,
    }),
    revision: withDefault(
      option("--revision", string({ metavar: "REVISION" }), {
        description: message`Branch, tag or commit of a hub repository.`,
      }),
      "main",
    ),
    maxLength: withDefault(
      option("--max-length", count(1), {
        description: message`Longest input of the converted model, in tokens.`,
      }),
      4096,
    ),
    architecture: optional(
      option("--architecture", string({ metavar: "CLASS" }), {
        description:
          message`Class of the model, such as BertForMaskedLM, instead of that in config.json.`,
      }),
    ),
    modelType: optional(
      option("--model-type", choice(ARCHITECTURE_TYPES, { metavar: "TYPE", suggest: "nearest" }), {
        description:
          message`Type of the model instead of model_type in config.json; needed for barthez, whose checkpoints say mbart.`,
      }),
    ),
    set: multiple(
      option("--set", string({ metavar: "KEY=VALUE" }), {
        description:
          message`Field of the converted config.json, such as block_size=256 or sparsity_type=pooling; may be repeated.`,
      }),
    ),
    randomGlobalInit: withDefault(
      flag("--random-global-init", {
        description:
          message`Make global tokens from random words with the vocabulary's mean and covariance, instead of the mask token.`,
      }),
      false,
    ),
    globalPositionalStride: withDefault(
      option("--global-positional-stride", count(1), {
        description: message`Distance between the positions of neighbouring global tokens.`,
      }),
      64,
    ),
    keepFirstGlobalToken: withDefault(
      flag("--keep-first-global-token", {
        description:
          message`Keep the first global token of a checkpoint that is converted already.`,
      }),
      false,
    ),
    resizeLsg: withDefault(
      flag("--resize-lsg", {
        description:
          message`Keep all global tokens of a checkpoint that is converted already and change its length alone.`,
      }),
      false,
    ),
    useTokenIds: withDefault(
      map(
        option("--use-token-ids", choice(["true", "false"], { metavar: "BOOLEAN" }), {
          description:
            message`Add the embedding of token type 0 to global tokens of BERT, ALBERT and ELECTRA.`,
        }),
        (value) => value === "true",
      ),
      true,
    ),
    bosTokenId: optional(
      option("--bos-token-id", count(0), {
        description:
          message`Id of the bos or cls token where the tokenizer's files do not tell it.`,
      }),
    ),
    maskTokenId: optional(
      option("--mask-token-id", count(0), {
        description: message`Id of the mask token where the tokenizer's files do not tell it.`,
      }),
    ),
    seed: withDefault(
      option("--seed", count(0), { description: message`Seed of random numbers.` }),
      123,
    ),
    parity: multiple(
      option("--parity", choice(CONVERSION_PARITY, { metavar: "FAULT", suggest: "nearest" }), {
        description:
          message`Repeat a fault of lsg-converter, for comparisons with it; may be repeated.`,
      }),
    ),
    check: withDefault(
      flag("--check", {
        description:
          message`Run source and converted model: equal on short input without global keys, finite on the longest.`,
      }),
      false,
    ),
    adapter: adapterOption,
  }),
  {
    description:
      message`Convert a pretrained checkpoint to local-sparse-global attention for longer inputs.`,
  },
);

/** What {@link convertCommand} parses to. */
export type ConvertOptions = Omit<InferValue<typeof convertCommand>, "command">;
