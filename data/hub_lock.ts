/**
 * The record of what was downloaded first (trust on first use).
 * @module
 */

import type { DataStore } from "./data_store.ts";

/** What is known about a file since its first download. */
export interface HubLockEntry {
  readonly sha256: string;
  readonly bytes: number;
  /** Commit that the hub said it served, where it said so. */
  readonly commit?: string;
  /** Address of the hub. */
  readonly endpoint: string;
  /** ISO 8601 date of the first download. */
  readonly firstUsed: string;
}

interface LockFile {
  readonly version: 1;
  readonly files: Record<string, HubLockEntry>;
}

/** Reads the entry of a file; `undefined` when there is none. */
export async function readHubLock(
  store: DataStore,
  path: string,
  key: string,
): Promise<HubLockEntry | undefined> {
  const { files } = await readLockFile(store, path);
  return Object.hasOwn(files, key) ? files[key] : undefined;
}

/** Adds an entry; entries are never changed. */
export async function writeHubLock(
  store: DataStore,
  path: string,
  key: string,
  entry: HubLockEntry,
): Promise<void> {
  const { version, files } = await readLockFile(store, path);
  const sorted = Object.entries({ [key]: entry, ...files }).sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify({ version, files: Object.fromEntries(sorted) }, null, 2);
  await store.writeFileAtomic(path, `${text}\n`);
}

async function readLockFile(store: DataStore, path: string): Promise<LockFile> {
  const bytes = await store.readFile(path);
  if (bytes === undefined) return { version: 1, files: {} };
  try {
    const lock = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as LockFile;
    if (lock.version === 1 && typeof lock.files === "object" && lock.files !== null) return lock;
  } catch {
    // Falls through to the error below: a lock that cannot be read must not count as empty.
  }
  throw new TypeError(
    `Cannot read ${path}: it is not a lock file of version 1; restore it, or remove it to trust ` +
      "the next downloads as first ones",
  );
}
