/** `bench export ...` is another spelling of `export ...`: no benchmark has that name. */
export function withoutAlias(args: readonly string[]): string[] {
  return args[0] === "bench" && args[1] === "export" ? args.slice(1) : [...args];
}
