/**
 * One HTTP request to a hub: redirects by hand, a watch on silence, the answer sorted into final and
 * worth another try.
 * @module
 */

import { HubError } from "./errors.ts";
import type { NetworkStore } from "./data_store.ts";

const MAX_REDIRECTS = 5;
const TRY_AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);
const REDIRECT = new Set([301, 302, 303, 307, 308]);

/** A failure that another try may not meet: a time-out, a dropped connection, a server error. */
export class TransientError extends Error {
  override readonly name = "TransientError";

  /** @param waitMs How long the server asked to wait. */
  constructor(message: string, readonly waitMs?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/** What a request needs. */
export interface HubRequest {
  readonly url: URL;
  /** Sent to `url`'s own origin only. */
  readonly token?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Silence on the connection that counts as a failure, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The final answer to a request. */
export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Commit named on the way (`X-Repo-Commit`). */
  readonly commit?: string;
  /** The body piece by piece; ends with a {@link TransientError} when the connection goes quiet. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Gives up the body. */
  cancel(): void;
}

/** Sends a request and follows redirects; throws {@link HubError} or {@link TransientError}. */
export async function requestFromHub(
  fetcher: Pick<NetworkStore, "fetch">,
  request: HubRequest,
): Promise<HubResponse> {
  const watch = new SilenceWatch(request);
  try {
    const { response, commit } = await followRedirects(fetcher, request, watch);
    checkStatus(response, request.url);
    return {
      status: response.status,
      headers: response.headers,
      commit,
      chunks: () => readChunks(response, watch),
      cancel: () => watch.stop(),
    };
  } catch (error) {
    watch.stop();
    throw watch.explain(error);
  }
}

async function followRedirects(
  fetcher: Pick<NetworkStore, "fetch">,
  request: HubRequest,
  watch: SilenceWatch,
): Promise<{ response: Response; commit?: string }> {
  let url = request.url;
  let commit: string | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = new Headers(request.headers);
    // A redirect usually leads to a storage host that must never see the token.
    if (request.token !== undefined && url.origin === request.url.origin) {
      headers.set("authorization", `Bearer ${request.token}`);
    }
    const init = { headers, redirect: "manual", signal: watch.signal } as const;
    let response = await fetcher.fetch(url, init);
    if (response.type === "opaqueredirect") {
      // A browser hides redirects; it drops the token on a foreign origin by itself.
      response = await fetcher.fetch(url, { ...init, redirect: "follow" });
    }
    watch.heard();
    commit ??= response.headers.get("x-repo-commit") ?? undefined;
    if (!REDIRECT.has(response.status)) return { response, commit };
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (location === null || !URL.canParse(location, url)) {
      throw new HubError(`Cannot download ${request.url}: a redirect names no valid address`);
    }
    const target = new URL(location, url);
    if (url.protocol === "https:" && target.protocol !== "https:") {
      throw new HubError(
        `Cannot download ${request.url}: it redirects from https to ${target.protocol}`,
      );
    }
    url = target;
  }
  throw new HubError(`Cannot download ${request.url}: more than ${MAX_REDIRECTS} redirects`);
}

function checkStatus(response: Response, url: URL): void {
  const { status } = response;
  // 416 is the caller's: its part file is not what the server has.
  if (status === 200 || status === 206 || status === 416) return;
  if (TRY_AGAIN.has(status)) {
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    throw new TransientError(
      `the server answered ${status}`,
      Number.isFinite(seconds) ? seconds * 1000 : undefined,
    );
  }
  if (status === 401 || status === 403) {
    throw new HubError(
      `Cannot download ${url}: the hub answered ${status}; set HF_TOKEN to a token with access ` +
        "and accept the terms of the set on its page",
      status,
    );
  }
  const next = status === 404
    ? "check repository, revision and path, or whether the mirror in HF_ENDPOINT has the file"
    : "check the address";
  throw new HubError(`Cannot download ${url}: the hub answered ${status}; ${next}`, status);
}

async function* readChunks(
  response: Response,
  watch: SilenceWatch,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (response.body === null) return;
    for await (const chunk of response.body) {
      watch.heard();
      yield chunk;
    }
  } catch (error) {
    throw watch.explain(error);
  } finally {
    watch.stop();
  }
}

/** Aborts when nothing is heard for a while, or when the caller cancels. */
class SilenceWatch {
  readonly signal: AbortSignal;
  readonly #silence = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ timeoutMs, signal }: HubRequest) {
    this.#timeoutMs = timeoutMs;
    this.#caller = signal;
    this.signal = signal === undefined
      ? this.#silence.signal
      : AbortSignal.any([signal, this.#silence.signal]);
    this.heard();
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#silence.abort(new TransientError(`nothing heard for ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#silence.abort();
  }

  /** Whatever a runtime's fetch throws, as what it means here. */
  explain(error: unknown): unknown {
    if (this.#caller?.aborted) return this.#caller.reason;
    if (error instanceof HubError || error instanceof TransientError) return error;
    const reason = this.#silence.signal.reason;
    if (reason instanceof TransientError) return reason;
    const message = error instanceof Error ? error.message : String(error);
    return new TransientError(message, undefined, { cause: error });
  }
}
