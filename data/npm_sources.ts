/**
 * Files of the data packages that `deno.lock` pins, read through the module loader.
 *
 * This is the one file that leans on Deno's resolution of npm packages: a JSON file inside a package
 * is imported on request, which needs no read permission, runs none of the package's code and loads
 * nothing before it is asked for. Another runtime passes its own {@link PackageFiles}.
 * @module
 */

/** Reads one JSON file of a pinned package. */
export interface PackageFiles {
  /**
   * @param name Package name as in the import map.
   * @param path Path inside the package, without a leading slash.
   * @returns The parsed JSON.
   */
  json(name: string, path: string): Promise<unknown>;
  /** A file as text; only sets that ask for it need it. */
  text?(name: string, path: string): Promise<string>;
}

/** {@link PackageFiles} for Deno: the package versions are those of deno.json and deno.lock. */
export const npmPackageFiles: PackageFiles = {
  json: (name, path) => importFile(name, path, "json"),
  text: async (name, path) => await importFile(name, path, "text") as string,
};

async function importFile(name: string, path: string, type: "json" | "text"): Promise<unknown> {
  // The specifier is built at run time on purpose: a literal one would put megabytes of text
  // into the module graph of every command.
  const specifier = `${name}/${path}`;
  try {
    const module = await import(specifier, { with: { type } }) as { default: unknown };
    return module.default;
  } catch (cause) {
    throw new TypeError(
      `Cannot read ${specifier}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        "run `deno install` once while the npm registry can be reached",
      { cause },
    );
  }
}
