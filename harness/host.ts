/**
 * The runtime boundary. Everything that touches files, processes, environment variables, the
 * network or a terminal goes through a {@link Host}; the rest of the suite is runtime-neutral.
 * `deno_host.ts` implements it for Deno, the site implements it for a browser tab.
 *
 * Paths are plain strings with `/` between parts, absolute or relative to the project folder.
 * @module
 */

/** One entry of {@link Host.list}. */
export interface HostEntry {
  /** Last part of the path. */
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
}

/** Files, environment, clock, network and terminal of the machine the suite runs on. */
export interface Host {
  /** Name of the runtime, e.g. `"deno"` or `"browser"`. */
  readonly runtime: string;
  /** Folder for downloads, unpacked drivers, autotuning choices and checkpoints. */
  readonly cacheDir: string;
  /** Folder that holds `<machine>/<run>.json`. */
  readonly resultsDir: string;

  /** Reads a whole file; `undefined` when it does not exist. Other failures throw {@link StorageError}. */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Size of a file in bytes; `undefined` when it does not exist or is a folder. */
  fileSize(path: string): Promise<number | undefined>;
  /**
   * Bytes `begin` to `end` (not included) of a file, fewer where it ends before; `undefined` when it
   * does not exist.
   */
  readRange(path: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** {@link readFile} decoded as UTF-8. */
  readText(path: string): Promise<string | undefined>;
  /**
   * Writes under a temporary name in the same folder, flushes to disk, then renames, so a reader
   * sees the old file or the whole new one. Missing parent folders are made.
   */
  writeFileAtomic(path: string, contents: Uint8Array | string): Promise<void>;
  /** Appends to a file, making it and its parent folders where missing. */
  appendFile(path: string, contents: Uint8Array | string): Promise<void>;
  /** Removes a file or a whole folder; does nothing when it does not exist. */
  remove(path: string): Promise<void>;
  /** Renames a file or folder; replaces an existing file. */
  rename(from: string, to: string): Promise<void>;
  /** Entries of a folder, sorted by name; empty when the folder does not exist. */
  list(path: string): Promise<HostEntry[]>;
  /** True for a symbolic link, whether or not there is something at its end. */
  isLink(path: string): Promise<boolean>;
  /** Makes a folder and its parents; does nothing when it exists. */
  makeDir(path: string): Promise<void>;

  /** An environment variable; `undefined` when unset or when reading it is not permitted. */
  env(name: string): string | undefined;
  /** Wall clock in milliseconds since 1970. For durations use `performance.now()`. */
  now(): number;
  /** The runtime's `fetch`. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;

  /** True when messages go to a terminal that can redraw a line. */
  isTerminal(): boolean;
  /** Memory that can still be taken without swapping; `undefined` when unknown. */
  memoryAvailableBytes(): number | undefined;
  /** One line on standard output. */
  print(line: string): void;
  /** One line on standard error. */
  printError(line: string): void;
  /** Raw text on standard error without a line end (progress lines). */
  writeError(text: string): void;
}

/** Why a file operation failed. */
export type StorageReason = "full" | "not-writable" | "not-readable" | "other";

/** A file operation that failed; the message names the path and the next step. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  /** What went wrong. */
  readonly reason: StorageReason;
  /** The path of the operation. */
  readonly path: string;

  /**
   * @param action What was tried, e.g. `"write"`.
   * @param path The path of the operation.
   * @param reason What went wrong.
   * @param cause The runtime's own error.
   */
  constructor(action: string, path: string, reason: StorageReason, cause?: unknown) {
    super(`Cannot ${action} ${path}: ${EXPLANATION[reason](cause)}`, { cause });
    this.reason = reason;
    this.path = path;
  }
}

const EXPLANATION: Record<StorageReason, (cause: unknown) => string> = {
  "full": () => "the disk is full or over quota; free some space or choose another folder",
  "not-writable": () =>
    "the folder is read-only or writing there is not permitted; choose another folder",
  "not-readable": () => "reading it is not permitted; check its owner and mode",
  "other": (cause) => cause instanceof Error ? cause.message : String(cause),
};

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Joins path parts with single slashes, leaving out empty parts. */
export function joinPath(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("/").replaceAll(/\/{2,}/g, "/");
}
