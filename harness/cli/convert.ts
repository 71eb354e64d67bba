import {
  type Conversion,
  ConversionError,
  type ConversionOptions,
  convertCheckpoint,
  convertedIndex,
  findSpecialTokens,
  INDEX_FILE,
  plannedConfig,
  planWeightFiles,
  SafetensorsError,
} from "../../train/mod.ts";
import { didYouMean } from "../did_you_mean.ts";
import { baseName, type Host, joinPath } from "../host.ts";
import { UserError } from "../user_error.ts";
import { type CheckpointFiles, openCheckpointFiles } from "./checkpoint_files.ts";
import {
  allTensors,
  type CheckpointWeights,
  openCheckpointWeights,
  readExactly,
} from "./checkpoint_weights.ts";
import { runConversionCheck } from "./convert_check.ts";
import type { ConvertOptions } from "./convert_command.ts";
import { FolderWriter } from "./folder_writer.ts";
import { makeFolder, requireFree } from "./new_folder.ts";
import { readAssignment } from "./set_overrides.ts";

/** Files of a tokenizer, and what goes with text generation; copied where the source has them. */
const COPIED_FILES = [
  "added_tokens.json",
  "dict.txt",
  "generation_config.json",
  "merges.txt",
  "sentencepiece.bpe.model",
  "special_tokens_map.json",
  "spiece.model",
  "tokenizer.json",
  "tokenizer.model",
  "vocab.json",
  "vocab.txt",
];
const TOKENIZER_CONFIG = "tokenizer_config.json";

/**
 * Converts a checkpoint and prints the files of the new folder, one a line. The folder is filled beside its final name and renamed
 * at the end. With `check`, both models are run after that.
 *
 * @returns The exit code: 1 where a check fails; the folder stays then.
 * @throws {UserError} If the checkpoint cannot be converted or the folder is in use; nothing is left behind.
 */
export async function runConvert(options: ConvertOptions, host: Host): Promise<number> {
  const { checkpoint } = options;
  const folder = options.out.replace(/(?<=.)\/+$/, "");
  await requireFree(host, folder, "convert");
  return await explained(async () => {
    const files = await openCheckpointFiles(host, checkpoint, options.revision);
    const config = await readJson(files, "config.json");
    if (!config) {
      throw new UserError(
        `Cannot convert ${checkpoint}: it has no config.json; expected a checkpoint in the ` +
          "Hugging Face layout",
      );
    }
    const settings = conversionOptions(options);
    // Before the weights, which may have to be fetched.
    plannedConfig(config, settings);
    const weights = await openCheckpointWeights(host, files);
    const conversion = await convert(options, settings, host, { files, config, weights });
    for (const note of conversion.notes) host.printError(`Note: ${note}`);
    const written: string[] = [];
    await makeFolder(host, folder, async (staging) => {
      const writer = new FolderWriter(host, staging, written);
      await writer.json("config.json", { ...conversion.config, _name_or_path: baseName(folder) });
      await copyTokenizer(files, writer, options.maxLength);
      await writeWeights(weights, conversion, writer);
    });
    for (const name of written) host.print(joinPath(folder, name));
    return options.check ? await runConversionCheck({ config, weights }, folder, options, host) : 0;
  });
}

interface Opened {
  readonly files: CheckpointFiles;
  readonly config: Record<string, unknown>;
  readonly weights: CheckpointWeights;
}

function conversionOptions(options: ConvertOptions): ConversionOptions {
  const { checkpoint: _, out: __, adapter: ___, check: ____, ...rest } = options;
  return {
    ...rest,
    set: Object.fromEntries(options.set.map(readAssignment)),
    parity: Object.fromEntries(options.parity.map((name) => [name, true])),
  };
}

async function convert(
  { modelType, bosTokenId, maskTokenId }: ConvertOptions,
  settings: ConversionOptions,
  host: Host,
  { files, config, weights }: Opened,
): Promise<Conversion> {
  const tensors = allTensors(weights);
  const found = await findSpecialTokens(modelType ?? config.model_type, files.text);
  return await convertCheckpoint({
    config,
    tensors,
    read: (key) => {
      const { path, begin, end } = tensors.get(key)!;
      return readExactly(host, path, begin, end);
    },
    tokens: { first: bosTokenId ?? found.first, mask: maskTokenId ?? found.mask },
  }, settings);
}

async function copyTokenizer(
  files: CheckpointFiles,
  writer: FolderWriter,
  maxLength: number,
): Promise<void> {
  let found = false;
  for (const name of COPIED_FILES) {
    const path = await files.path(name);
    if (path === undefined) continue;
    found ||= name !== "generation_config.json";
    await writer.begin(name);
    await writer.copy(name, path, 0, await writer.host.fileSize(path) ?? 0);
  }
  const { truncation } = await readJson(files, "tokenizer.json") ?? {};
  const limit = (truncation as { max_length?: unknown } | null | undefined)?.max_length;
  if (typeof limit === "number" && limit < maxLength) {
    writer.host.printError(
      `Note: tokenizer.json itself cuts texts to ${limit} tokens; programs that read it alone must ` +
        "be told the new length.",
    );
  }
  const config = await readJson(files, TOKENIZER_CONFIG);
  if (config || found) {
    await writer.json(TOKENIZER_CONFIG, { ...config, model_max_length: maxLength });
  }
}

async function writeWeights(
  weights: CheckpointWeights,
  conversion: Conversion,
  writer: FolderWriter,
): Promise<void> {
  const { layouts, paths, index } = weights;
  for (const { name, pieces } of planWeightFiles(layouts, conversion)) {
    await writer.begin(name);
    for (const piece of pieces) {
      if ("data" in piece) await writer.append(name, piece.data);
      else await writer.copy(name, paths.get(piece.file)!, piece.begin, piece.end);
    }
  }
  if (index !== undefined) {
    await writer.json(INDEX_FILE, convertedIndex(index, layouts, conversion));
  }
}

async function readJson(
  files: CheckpointFiles,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const text = await files.text(name);
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UserError(
    `Cannot convert ${files.label}: ${name} is no JSON object; fetch the checkpoint again`,
  );
}

/** Turns the errors that a checkpoint can cause into messages. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConversionError) {
      const { choice } = error;
      const hint = choice ? didYouMean(choice.given, choice.known) : "";
      throw new UserError(error.message + hint, 2, { cause: error });
    }
    if (error instanceof SafetensorsError || error instanceof SyntaxError) {
      throw new UserError(
        error instanceof SyntaxError
          ? `Cannot convert: a file of the checkpoint is not JSON (${error.message}); fetch it again`
          : error.message,
        2,
        { cause: error },
      );
    }
    throw error;
  }
}
