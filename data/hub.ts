/**
 * Files from a Hugging Face hub or a mirror of one, cached and verified.
 * @module
 */

import { type NetworkStore, type Warn, warnOnConsole } from "./data_store.ts";
import { DataChecksumError } from "./errors.ts";
import { discardPart, type DownloadLimits, downloadPart } from "./hub_download.ts";
import { readHubLock, writeHubLock } from "./hub_lock.ts";
import { sha256 } from "./sha256.ts";
import type { Trust } from "./corpus.ts";

/** A file on a hub. */
export interface HubFile {
  readonly kind: "dataset" | "model";
  /** `owner/name`. */
  readonly repo: string;
  /** A full commit hash; a branch name is allowed, and then the first download decides. */
  readonly revision: string;
  /** Path in the repository. */
  readonly path: string;
  /** SHA-256 the file must have; absent where nobody could verify it. */
  readonly sha256?: string;
}

/** Settings of {@link fetchHubFile}; time-outs, tries and size limit have defaults. */
export interface HubOptions extends Partial<DownloadLimits> {
  readonly store: NetworkStore;
  readonly signal?: AbortSignal;
  readonly warn?: Warn;
  /** Record of first downloads. @default `<cacheDir>/hub.lock.json` */
  readonly lockPath?: string;
}

/** A verified file. */
export interface HubContent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  /** `pinned` when the manifest knew the checksum, `first-use` when only the lock file does. */
  readonly trust: Exclude<Trust, "local">;
  /** Where the file lies in the cache. */
  readonly path: string;
  /** Commit that the hub said it served, where it said so. */
  readonly commit?: string;
  readonly fromCache: boolean;
}

/** Address used when `HF_ENDPOINT` is not set. */
export const DEFAULT_HUB_ENDPOINT = "https://huggingface.co";

const INSTEAD: Record<HubFile["kind"], string> = {
  dataset: "choose an embedded corpus (state-of-the-union, moby-dick), or a local file with " +
    "data.path",
  model: "fetch the files elsewhere and give their folder",
};

const DEFAULT_LIMITS: DownloadLimits = {
  timeoutMs: 30_000,
  attempts: 5,
  backoffMs: 500,
  maxBytes: 2 ** 31,
};

/**
 * A file of the hub: from the cache when it is there and its SHA-256 is right, else downloaded.
 *
 * Environment: `HF_ENDPOINT` names a mirror, `HF_TOKEN` is sent to it and to nobody else,
 * `HF_HUB_OFFLINE=1` forbids the network. A file without a known checksum is recorded at its first
 * download and must have the same content ever after.
 * @throws {DataUnavailableError} Without a network, or when the server keeps failing.
 * @throws {DataChecksumError} When the content is not what was recorded; the file is removed.
 * @throws {HubError} When the hub refuses, or the file is too large.
 */
export async function fetchHubFile(file: HubFile, options: HubOptions): Promise<HubContent> {
  checkHubFile(file);
  const { store, warn = warnOnConsole, signal } = options;
  const lockPath = options.lockPath ?? `${store.cacheDir}/hub.lock.json`;
  const key = `${file.kind}:${file.repo}@${file.revision}/${file.path}`;
  const lock = await readHubLock(store, lockPath, key);
  const expected = file.sha256 ?? lock?.sha256;
  const trust = file.sha256 === undefined ? "first-use" : "pinned";
  const path = cachePath(store.cacheDir, file);

  const cached = expected === undefined ? undefined : await store.readFile(path);
  if (cached !== undefined) {
    const digest = await sha256(cached);
    if (digest === expected) {
      return { bytes: cached, sha256: digest, trust, path, commit: lock?.commit, fromCache: true };
    }
    warn(`Downloading ${key} again: the cached copy fails its checksum`);
    await store.remove(path);
  }

  const endpoint = store.env("HF_ENDPOINT") || DEFAULT_HUB_ENDPOINT;
  const { bytes, commit } = await downloadPart({
    what: key,
    url: hubUrl(endpoint, file),
    partPath: `${path}.part`,
    store,
    signal,
    warn,
    limits: { ...DEFAULT_LIMITS, ...pickLimits(options) },
    finalPath: path,
    instead: INSTEAD[file.kind],
  });
  const digest = await sha256(bytes);
  if (expected !== undefined && digest !== expected) {
    await discardPart({ store, partPath: `${path}.part` });
    throw new DataChecksumError(key, digest, expected, wrongContent(trust, lockPath));
  }
  await store.rename(`${path}.part`, path);
  await store.remove(`${path}.part.json`);
  if (expected === undefined) {
    const firstUsed = new Date().toISOString();
    const entry = { sha256: digest, bytes: bytes.length, commit, endpoint, firstUsed };
    await writeHubLock(store, lockPath, key, entry);
  }
  return { bytes, sha256: digest, trust, path, commit, fromCache: false };
}

/** Address of a file. */
export function hubUrl(endpoint: string, file: HubFile): URL {
  const folder = file.kind === "dataset" ? "datasets/" : "";
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const revision = encodeURIComponent(file.revision);
  return new URL(
    `${endpoint.replace(/\/+$/, "")}/${folder}${file.repo}/resolve/${revision}/${path}`,
  );
}

function cachePath(cacheDir: string, file: HubFile): string {
  const repo = `${file.kind}--${file.repo.replaceAll("/", "--")}`;
  return `${cacheDir}/hub/${repo}/${file.revision.replaceAll("/", "--")}/${file.path}`;
}

function wrongContent(trust: Trust, lockPath: string): string {
  return trust === "pinned"
    ? "what was downloaded has been removed; try again, or check the mirror in HF_ENDPOINT"
    : "the file is no longer the one of the first download; if you trust the change, remove its " +
      `entry from ${lockPath}`;
}

/** Names become paths, so nothing may climb out of the cache folder. */
function checkHubFile({ repo, revision, path }: HubFile): void {
  const parts = [...repo.split("/"), ...revision.split("/"), ...path.split("/")];
  if (parts.some((part) => !/^[\w.-][\w .=+-]*$/.test(part) || /^\.+$/.test(part))) {
    throw new RangeError(
      `Cannot download ${repo}@${revision}/${path}: a part of it is not a plain name`,
    );
  }
}

function pickLimits(options: Partial<DownloadLimits>): Partial<DownloadLimits> {
  const { timeoutMs, attempts, backoffMs, maxBytes } = options;
  const given = Object.entries({ timeoutMs, attempts, backoffMs, maxBytes });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}
