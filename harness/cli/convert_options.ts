/** Options of `convert` that take a value: the word after one is no checkpoint. Apart from the command, so that the launcher loads no training code. */
export const CONVERT_VALUE_OPTIONS: readonly string[] = [
  "--adapter",
  "--architecture",
  "--bos-token-id",
  "--global-positional-stride",
  "--mask-token-id",
  "--max-length",
  "--model-type",
  "--out",
  "--parity",
  "--revision",
  "--seed",
  "--set",
  "--use-token-ids",
];
