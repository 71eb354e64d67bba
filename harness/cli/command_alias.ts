/** Commands that may also be typed as `bench <command> ...`: no benchmark has their name. */
const COMMANDS: readonly string[] = ["convert", "export"];

/** `bench export ...` is another spelling of `export ...`, and so is `bench convert ...`. */
export function withoutAlias(args: readonly string[]): string[] {
  return args[0] === "bench" && COMMANDS.includes(args[1]) ? args.slice(1) : [...args];
}
