/**
 * Options that more than one command has.
 * @module
 */
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { ADAPTER_CHOICES } from "../adapter/adapter_choice.ts";

/** `--adapter any|hardware|bundled`; the launcher has acted on it before it is parsed here. */
export const adapterOption = withDefault(
  option("--adapter", choice(ADAPTER_CHOICES, { metavar: "ADAPTER", suggest: "nearest" }), {
    description:
      message`Which adapter to use: any (a GPU, else software), hardware, or bundled (SwiftShader).`,
  }),
  "any" as const,
);
