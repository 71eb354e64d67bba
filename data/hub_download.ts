/**
 * A download that survives bad networks: retried with growing pauses, resumed where it stopped.
 * @module
 */

import type { NetworkStore, Warn } from "./data_store.ts";
import { DataUnavailableError, HubError } from "./errors.ts";
import { type HubResponse, requestFromHub, TransientError } from "./hub_request.ts";

/** Bounds on a download. */
export interface DownloadLimits {
  /** Silence on the connection that counts as a failure, in milliseconds. @default {30000} */
  readonly timeoutMs: number;
  /** Tries in a row that bring no new byte. @default {5} */
  readonly attempts: number;
  /** Pause before the second try in milliseconds; doubles from try to try. @default {500} */
  readonly backoffMs: number;
  /** Largest file accepted, in bytes. @default {2147483648} */
  readonly maxBytes: number;
}

/** What {@link downloadPart} needs. */
export interface DownloadRequest {
  /** Name for messages. */
  readonly what: string;
  readonly url: URL;
  /** Where the bytes gather; `<partPath>.json` says which version of the file they belong to. */
  readonly partPath: string;
  /** Where a user could put the file by hand; for messages. */
  readonly finalPath: string;
  /** What to use instead where it cannot be had; the end of a message. */
  readonly instead: string;
  readonly store: NetworkStore;
  readonly signal?: AbortSignal;
  readonly warn: Warn;
  readonly limits: DownloadLimits;
}

/** A complete, not yet verified download. */
export interface Download {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly commit?: string;
}

const LONGEST_PAUSE_MS = 30_000;
/** Even a server that drops every connection after a few bytes is given up in the end. */
const MAX_REQUESTS = 200;
const WRITE_BYTES = 1 << 20;

/** Downloads into the part file and returns its bytes; the part file stays until the caller renames it. */
export async function downloadPart(request: DownloadRequest): Promise<Download> {
  const { what, store, limits, signal, warn } = request;
  if (["1", "true", "yes", "on"].includes((store.env("HF_HUB_OFFLINE") ?? "").toLowerCase())) {
    throw new DataUnavailableError(
      `Cannot download ${what}: HF_HUB_OFFLINE is set and the file is not in the cache; unset it ` +
        `and run once with a network, or ${request.instead}`,
    );
  }
  let failures = 0;
  let last: TransientError | undefined;
  for (let requests = 0; failures < limits.attempts && requests < MAX_REQUESTS; requests++) {
    signal?.throwIfAborted();
    const before = await partLength(request);
    try {
      const commit = await downloadOnce(request, before);
      const bytes = await store.readFile(request.partPath);
      return { bytes: bytes ?? new Uint8Array(), commit };
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      last = error;
    }
    failures = await partLength(request) > before ? 1 : failures + 1;
    if (failures < limits.attempts) {
      const pause = last.waitMs ?? limits.backoffMs * 2 ** (failures - 1);
      warn(`Retrying ${what}: ${last.message}`);
      await sleep(Math.min(pause, LONGEST_PAUSE_MS), signal);
    }
  }
  throw new DataUnavailableError(
    `Cannot download ${what} from ${request.url.origin}: ${last?.message}; check the network, or ` +
      `set HF_ENDPOINT to a mirror that can be reached, or ${request.instead}`,
    { cause: last },
  );
}

/** One request; returns when the part file is complete. */
async function downloadOnce(request: DownloadRequest, have: number): Promise<string | undefined> {
  const { url, store, limits, signal } = request;
  // A resumed body is only valid for the same version of the file, which needs a strong ETag.
  const etag = have > 0 ? await readPartTag(request) : undefined;
  if (have > 0 && etag === undefined) await discardPart(request);
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (etag !== undefined) {
    headers["range"] = `bytes=${have}-`;
    headers["if-range"] = etag;
  }
  const token = store.env("HF_TOKEN") || undefined;
  const { timeoutMs } = limits;
  const response = await requestFromHub(store, { url, token, headers, timeoutMs, signal });
  try {
    const start = await placeBody(request, response, etag === undefined ? 0 : have);
    await appendBody(request, response, start);
    return response.commit;
  } finally {
    response.cancel();
  }
}

/** Decides where the body goes: after what is there, or from the beginning. Returns that offset. */
async function placeBody(
  request: DownloadRequest,
  response: HubResponse,
  have: number,
): Promise<number> {
  if (response.status === 416) {
    await discardPart(request);
    throw new TransientError("the server has no such range");
  }
  if (response.status === 206) {
    const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
    if (have > 0 && Number(start) === have) return have;
    await discardPart(request);
    throw new TransientError(`the server sent bytes from ${start}, expected ${have}`);
  }
  await discardPart(request);
  const etag = response.headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) {
    await request.store.writeFileAtomic(`${request.partPath}.json`, JSON.stringify({ etag }));
  }
  return 0;
}

async function appendBody(
  request: DownloadRequest,
  response: HubResponse,
  start: number,
): Promise<void> {
  const { store, limits, what, partPath } = request;
  const announced = response.headers.get("content-length");
  const total = announced === null ? undefined : start + Number(announced);
  const refuseSize = async () => {
    await discardPart(request);
    return new HubError(
      `Cannot download ${what}: it is larger than ${limits.maxBytes} bytes; raise maxBytes if you ` +
        "expect that",
    );
  };
  if (total !== undefined && total > limits.maxBytes) throw await refuseSize();
  let length = start;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async () => {
    if (waitingBytes === 0) return;
    await store.appendFile(partPath, concatenate(waiting, waitingBytes));
    waiting = [];
    waitingBytes = 0;
  };
  try {
    for await (const chunk of response.chunks()) {
      length += chunk.length;
      if (length > limits.maxBytes) {
        waitingBytes = 0;
        throw await refuseSize();
      }
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    }
  } finally {
    // What came before a break is kept: the next try goes on from there.
    await flush();
  }
  if (total !== undefined && length !== total) {
    throw new TransientError(`the body ended after ${length} of ${total} bytes`);
  }
  // An empty body leaves no part file behind; the caller renames one.
  if (length === 0) await store.writeFileAtomic(partPath, new Uint8Array());
}

async function partLength({ store, partPath }: DownloadRequest): Promise<number> {
  return (await store.readFile(partPath))?.length ?? 0;
}

async function readPartTag({ store, partPath }: DownloadRequest): Promise<string | undefined> {
  const bytes = await store.readFile(`${partPath}.json`);
  if (bytes === undefined) return undefined;
  try {
    const { etag } = JSON.parse(new TextDecoder().decode(bytes)) as { etag?: unknown };
    return typeof etag === "string" ? etag : undefined;
  } catch {
    // Damaged: start the download anew rather than join two versions.
    return undefined;
  }
}

/** Removes the part file and its tag. */
export async function discardPart(
  { store, partPath }: Pick<DownloadRequest, "store" | "partPath">,
): Promise<void> {
  await store.remove(partPath);
  await store.remove(`${partPath}.json`);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
