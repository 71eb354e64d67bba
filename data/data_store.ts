/**
 * The little the data layer needs from the machine. The suite's `Host` has all of it, so a host is
 * passed as it is; tests pass a memory store.
 * @module
 */

/** Whole-file storage in a cache folder. Paths use `/`. */
export interface DataStore {
  /** Folder for downloads and derived files. */
  readonly cacheDir: string;
  /** The whole file, or `undefined` when it does not exist. */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes under a temporary name, then renames. */
  writeFileAtomic(path: string, contents: Uint8Array | string): Promise<void>;
  /** Appends, making the file where missing. */
  appendFile(path: string, contents: Uint8Array | string): Promise<void>;
  /** Removes a file; does nothing when it does not exist. */
  remove(path: string): Promise<void>;
  /** Renames a file, replacing an existing one. */
  rename(from: string, to: string): Promise<void>;
}

/** A {@link DataStore} that also reaches the network and the environment. */
export interface NetworkStore extends DataStore {
  /** An environment variable, or `undefined`. */
  env(name: string): string | undefined;
  /** The runtime's `fetch`. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
}

/** Takes one line of warning; the default drops nothing silently: it writes to `console.warn`. */
export type Warn = (message: string) => void;

/** The {@link Warn} used when a caller gives none. */
export const warnOnConsole: Warn = (message) => console.warn(message);
