/** Which adapter a run may use: see {@link ADAPTER_CHOICES}. */
export type AdapterChoice = "any" | "hardware" | "bundled";

/**
 * `any`: a GPU, else an installed software driver, else the bundled one. `hardware`: a GPU or
 * nothing. `bundled`: SwiftShader even where something better exists.
 */
export const ADAPTER_CHOICES: readonly AdapterChoice[] = ["any", "hardware", "bundled"];

/**
 * Finds `--adapter=<choice>` or `--adapter <choice>` among raw arguments. The launcher has to know
 * it before the command line proper is parsed; wrong values are left for that parser to report.
 */
export function findAdapterChoice(args: readonly string[]): AdapterChoice {
  let found: AdapterChoice = "any";
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") break;
    const value = args[i] === "--adapter"
      ? args[i + 1]
      : args[i].startsWith("--adapter=")
      ? args[i].slice("--adapter=".length)
      : undefined;
    const choice = ADAPTER_CHOICES.find((candidate) => candidate === value);
    if (choice) found = choice;
  }
  return found;
}
