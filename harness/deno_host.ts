/**
 * The Deno implementation of {@link Host}.
 * @module
 */
import { type Host, type HostEntry, StorageError, type StorageReason } from "./host.ts";

/** Options of {@link createDenoHost}. */
export interface DenoHostOptions {
  /** @default ".cache/attention-bench" */
  cacheDir?: string;
  /** @default "results" */
  resultsDir?: string;
  /**
   * Writes a whole new file and flushes it to disk. Replaced in tests by one that fails.
   * @default {writeAndFlush}
   */
  writeNewFile?: (path: string, bytes: Uint8Array) => Promise<void>;
}

/** Folder for everything that can be made again; inside the project so that permissions stay narrow. */
export const DEFAULT_CACHE_DIR = ".cache/attention-bench";
/** Folder of the published results. */
export const DEFAULT_RESULTS_DIR = "results";

/**
 * Makes a {@link Host} on Deno's own APIs. It asks for no permission by itself: what is not granted
 * shows up as a {@link StorageError} or as `undefined`.
 */
export function createDenoHost(options: DenoHostOptions = {}): Host {
  const { cacheDir = DEFAULT_CACHE_DIR, resultsDir = DEFAULT_RESULTS_DIR } = options;
  const writeNewFile = options.writeNewFile ?? writeAndFlush;

  const readFile = async (path: string) => {
    try {
      return await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new StorageError("read", path, reasonOf(error, "not-readable"), error);
    }
  };
  const makeDir = (path: string) =>
    guarded("make the folder", path, () => Deno.mkdir(path, { recursive: true }));

  return {
    runtime: "deno",
    cacheDir,
    resultsDir,
    readFile,
    fileSize,
    readRange,
    readText: async (path) => {
      const bytes = await readFile(path);
      return bytes && new TextDecoder().decode(bytes);
    },
    async writeFileAtomic(path, contents) {
      await makeDir(folderOf(path));
      const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
      await guarded("write", path, async () => {
        try {
          await writeNewFile(temporary, toBytes(contents));
          await Deno.rename(temporary, path);
        } catch (error) {
          await Deno.remove(temporary).catch(() => {}); // may not exist; the first error matters
          throw error;
        }
      });
    },
    async appendFile(path, contents) {
      await makeDir(folderOf(path));
      await guarded(
        "append to",
        path,
        () => Deno.writeFile(path, toBytes(contents), { append: true }),
      );
    },
    remove: (path) =>
      guarded("remove", path, async () => {
        try {
          await Deno.remove(path, { recursive: true });
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }),
    rename: (from, to) => guarded("rename", from, () => Deno.rename(from, to)),
    list: (path) => listFolder(path),
    isLink,
    makeDir,
    env: readEnvironment,
    now: () => Date.now(),
    fetch: (input, init) => fetch(input, init),
    isTerminal: () => Deno.stderr.isTerminal(),
    memoryAvailableBytes: () => {
      try {
        return Deno.systemMemoryInfo().available;
      } catch {
        return undefined; // not permitted (--allow-sys=systemMemoryInfo)
      }
    },
    print: (line) => writeAll(Deno.stdout, line + "\n"),
    printError: (line) => writeAll(Deno.stderr, line + "\n"),
    writeError: (text) => writeAll(Deno.stderr, text),
  };
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new StorageError("read", path, reasonOf(error, "not-readable"), error);
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new StorageError("read", path, reasonOf(error, "not-readable"), error);
  }
}

async function readRange(
  path: string,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    using file = await Deno.open(path);
    await file.seek(begin, Deno.SeekMode.Start);
    const bytes = new Uint8Array(end - begin);
    let length = 0;
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) return bytes.slice(0, length);
      length += read;
    }
    return bytes;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new StorageError("read", path, reasonOf(error, "not-readable"), error);
  }
}

/** Writes a file that must not exist yet and waits until the disk has it. */
async function writeAndFlush(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let offset = 0; offset < bytes.length;) {
    offset += await file.write(bytes.subarray(offset));
  }
  await file.sync();
}

async function listFolder(path: string): Promise<HostEntry[]> {
  const entries: HostEntry[] = [];
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(path)) {
      entries.push({ name, isFile, isDirectory });
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new StorageError("list", path, reasonOf(error, "not-readable"), error);
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function readEnvironment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined; // not in --allow-env
  }
}

async function guarded(
  action: string,
  path: string,
  operation: () => Promise<void>,
): Promise<void> {
  try {
    await operation();
  } catch (error) {
    throw new StorageError(action, path, reasonOf(error, "not-writable"), error);
  }
}

/** Sorts a runtime error into the few reasons that need different next steps. */
function reasonOf(error: unknown, denied: StorageReason): StorageReason {
  const code = (error as { code?: string } | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return denied;
  if (
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable
  ) return denied;
  return "other";
}

function folderOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end) || "/";
}

function toBytes(contents: Uint8Array | string): Uint8Array {
  return typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let offset = 0; offset < bytes.length;) {
      offset += stream.writeSync(bytes.subarray(offset));
    }
  } catch (error) {
    // A reader that went away (`| head`) must not turn a finished run into a failure.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
