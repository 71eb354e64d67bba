import type { Host } from "../../../harness/host.ts";

/** A host whose files live in memory. */
export interface MemoryHost extends Host {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  text(path: string): string;
}

/** Makes an empty {@link MemoryHost} with a clock that advances by one second per call. */
export function createMemoryHost(): MemoryHost {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const bytes = (contents: Uint8Array | string) =>
    typeof contents === "string" ? new TextEncoder().encode(contents) : Uint8Array.from(contents);
  let clock = Date.UTC(2026, 10, 22);
  const unused = () => {
    throw new TypeError("not part of this host");
  };
  return {
    files,
    text: (path) => new TextDecoder().decode(files.get(path)),
    runtime: "test",
    cacheDir: "cache",
    resultsDir: "results",
    readFile: (path) => Promise.resolve(files.get(path)),
    fileSize: (path) => Promise.resolve(files.get(path)?.length),
    readRange: (path, begin, end) => Promise.resolve(files.get(path)?.slice(begin, end)),
    readText: (path) =>
      Promise.resolve(files.has(path) ? new TextDecoder().decode(files.get(path)) : undefined),
    writeFileAtomic: (path, contents) => {
      files.set(path, bytes(contents));
      return Promise.resolve();
    },
    appendFile: (path, contents) => {
      const before = files.get(path) ?? new Uint8Array();
      const added = bytes(contents);
      const joined = new Uint8Array(before.length + added.length);
      joined.set(before);
      joined.set(added, before.length);
      files.set(path, joined);
      return Promise.resolve();
    },
    remove: (path) => {
      for (const name of [...files.keys()]) {
        if (name === path || name.startsWith(`${path}/`)) files.delete(name);
      }
      return Promise.resolve();
    },
    rename: unused,
    list: unused,
    isLink: unused,
    makeDir: () => Promise.resolve(),
    env: () => undefined,
    now: () => clock += 1000,
    fetch: unused,
    isTerminal: () => false,
    memoryAvailableBytes: () => 2 ** 30,
    print: () => {},
    printError: () => {},
    writeError: () => {},
  };
}
