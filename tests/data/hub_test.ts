import { deepStrictEqual, equal, match, ok, rejects } from "node:assert/strict";
import { DataChecksumError, DataUnavailableError, HubError } from "../../data/errors.ts";
import { fetchHubFile, type HubFile, type HubOptions, hubUrl } from "../../data/hub.ts";
import { sha256 } from "../../data/sha256.ts";
import { MemoryStore } from "./memory_store.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const CONTENT_SHA256 = await sha256(CONTENT);
const PATH = "/datasets/owner/set/resolve/0123abc/data/train.parquet";
const FILE: HubFile = {
  kind: "dataset",
  repo: "owner/set",
  revision: "0123abc",
  path: "data/train.parquet",
  sha256: CONTENT_SHA256,
};
const CACHE_PATH = "cache/hub/dataset--owner--set/0123abc/data/train.parquet";
const { sha256: _, ...UNPINNED } = FILE;

/** A copy: the server's own object dies with the request. */
interface SeenRequest {
  url: string;
  headers: Headers;
}

type Handler = (request: Request, count: number) => Response | Promise<Response>;

/** Runs a test against a server that answers as the handler says. */
async function withHub(
  handler: Handler,
  test: (
    hub: { store: MemoryStore; options: HubOptions; requests: SeenRequest[]; warnings: string[] },
  ) => Promise<void>,
): Promise<void> {
  const requests: SeenRequest[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    requests.push({ url: request.url, headers: new Headers(request.headers) });
    return handler(request, requests.length);
  });
  const store = new MemoryStore();
  store.variables["HF_ENDPOINT"] = `http://127.0.0.1:${server.addr.port}/`;
  const warnings: string[] = [];
  const options = {
    store,
    backoffMs: 1,
    timeoutMs: 2000,
    attempts: 3,
    warn: (message: string) => warnings.push(message),
  };
  try {
    await test({ store, options, requests, warnings });
  } finally {
    await server.shutdown();
  }
}

/** Answers as a well-behaved storage server: whole or from an offset. */
function serve(request: Request, body = CONTENT, etag = '"v1"'): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  if (start > 0 && request.headers.get("if-range") === etag) {
    return new Response(body.slice(start), {
      status: 206,
      headers: { etag, "content-range": `bytes ${start}-${body.length - 1}/${body.length}` },
    });
  }
  return new Response(body.slice(), { headers: { etag } });
}

/** A body that breaks off after some bytes. */
function brokenBody(length: number, etag = '"v1"'): Response {
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) controller.close();
      else controller.enqueue(CONTENT.slice(0, length));
      sent = true;
    },
  });
  const headers = { etag, "content-length": String(CONTENT.length) };
  return new Response(body, { headers });
}

Deno.test("fetchHubFile() downloads a pinned file once and then uses the cache", async () => {
  await withHub((request) => serve(request), async ({ options, requests, store }) => {
    const first = await fetchHubFile(FILE, options);
    deepStrictEqual(first.bytes, CONTENT);
    equal(first.trust, "pinned");
    equal(first.fromCache, false);
    const second = await fetchHubFile(FILE, options);
    deepStrictEqual(second.bytes, CONTENT);
    equal(second.fromCache, true);
    equal(requests.length, 1);
    equal(new URL(requests[0].url).pathname, PATH);
    deepStrictEqual([...store.files.keys()], [CACHE_PATH]);
  });
});

Deno.test("fetchHubFile() downloads again when the cached copy is damaged", async () => {
  await withHub((request) => serve(request), async ({ options, requests, store, warnings }) => {
    await fetchHubFile(FILE, options);
    store.files.get(CACHE_PATH)![7] ^= 1;
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
    equal(requests.length, 2);
    match(warnings[0], /fails its checksum/);
  });
});

Deno.test("fetchHubFile() follows a redirect and keeps the token from the foreign host", async () => {
  let foreignToken: string | null = "not asked";
  const storage = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      foreignToken = request.headers.get("authorization");
      return serve(request);
    },
  );
  const location = `http://127.0.0.1:${storage.addr.port}/blob`;
  const redirect = () =>
    new Response(null, { status: 302, headers: { location, "x-repo-commit": "c0ffee" } });
  await withHub(redirect, async ({ options, requests, store }) => {
    store.variables["HF_TOKEN"] = "secret";
    const { bytes, commit } = await fetchHubFile(FILE, options);
    deepStrictEqual(bytes, CONTENT);
    equal(commit, "c0ffee");
    equal(requests[0].headers.get("authorization"), "Bearer secret");
    equal(foreignToken, null);
  });
  await storage.shutdown();
});

Deno.test("fetchHubFile() sends the token along a redirect on the same host", async () => {
  const handler: Handler = (request, count) =>
    count === 1
      ? new Response(null, { status: 307, headers: { location: "/elsewhere" } })
      : serve(request);
  await withHub(handler, async ({ options, requests, store }) => {
    store.variables["HF_TOKEN"] = "secret";
    await fetchHubFile(FILE, options);
    equal(requests[1].headers.get("authorization"), "Bearer secret");
    match(requests[1].url, /\/elsewhere$/);
  });
});

Deno.test("fetchHubFile() gives up a circle of redirects", async () => {
  const handler = () => new Response(null, { status: 302, headers: { location: PATH } });
  await withHub(handler, async ({ options, requests }) => {
    await rejects(fetchHubFile(FILE, options), /more than 5 redirects/);
    equal(requests.length, 6);
  });
});

Deno.test("fetchHubFile() does not retry 404 and 401, and says what to check", async () => {
  for (const [status, hint] of [[404, /HF_ENDPOINT/], [401, /HF_TOKEN/]] as const) {
    await withHub(() => new Response("no", { status }), async ({ options, requests, store }) => {
      await rejects(
        fetchHubFile(FILE, options),
        (error) => error instanceof HubError && error.status === status && hint.test(error.message),
      );
      equal(requests.length, 1);
      equal(store.files.size, 0);
    });
  }
});

Deno.test("fetchHubFile() tries again after 500 and 429", async () => {
  const handler: Handler = (request, count) =>
    count === 1
      ? new Response("oops", { status: 500 })
      : count === 2
      ? new Response("wait", { status: 429, headers: { "retry-after": "0" } })
      : serve(request);
  await withHub(handler, async ({ options, requests, warnings }) => {
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
    equal(requests.length, 3);
    equal(warnings.length, 2);
  });
});

Deno.test("fetchHubFile() gives up after the tries allowed", async () => {
  await withHub(() => new Response("oops", { status: 503 }), async ({ options, requests }) => {
    await rejects(
      fetchHubFile(FILE, options),
      (error) => error instanceof DataUnavailableError && /503.*HF_ENDPOINT/.test(error.message),
    );
    equal(requests.length, 3);
  });
});

Deno.test("fetchHubFile() resumes a truncated body by Range with If-Range", async () => {
  const handler: Handler = (request, count) => count === 1 ? brokenBody(100_000) : serve(request);
  await withHub(handler, async ({ options, requests, store }) => {
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
    equal(requests.length, 2);
    equal(requests[1].headers.get("range"), "bytes=100000-");
    equal(requests[1].headers.get("if-range"), '"v1"');
    deepStrictEqual([...store.files.keys()], [CACHE_PATH]);
  });
});

Deno.test("fetchHubFile() resumes a part that an earlier run left", async () => {
  await withHub((request) => serve(request), async ({ options, requests, store }) => {
    store.files.set(`${CACHE_PATH}.part`, CONTENT.slice(0, 1234));
    await store.writeFileAtomic(`${CACHE_PATH}.part.json`, JSON.stringify({ etag: '"v1"' }));
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
    equal(requests[0].headers.get("range"), "bytes=1234-");
  });
});

Deno.test("fetchHubFile() starts anew when the file changed under a part", async () => {
  await withHub((request) => serve(request), async ({ options, store }) => {
    store.files.set(`${CACHE_PATH}.part`, new Uint8Array(1234));
    await store.writeFileAtomic(`${CACHE_PATH}.part.json`, JSON.stringify({ etag: '"v0"' }));
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
  });
});

Deno.test("fetchHubFile() starts anew when a part has no tag, or the server refuses the range", async () => {
  const handler: Handler = (request) =>
    request.headers.has("range") ? new Response(null, { status: 416 }) : serve(request);
  for (const tag of [undefined, '{"etag":"\\"v1\\""}', "not json"]) {
    await withHub(handler, async ({ options, store }) => {
      store.files.set(`${CACHE_PATH}.part`, new Uint8Array(400_000));
      if (tag !== undefined) await store.writeFileAtomic(`${CACHE_PATH}.part.json`, tag);
      deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
    });
  }
});

Deno.test("fetchHubFile() refuses a partial answer from the wrong place", async () => {
  const handler: Handler = (request) =>
    request.headers.has("range")
      ? new Response(CONTENT.slice(5), {
        status: 206,
        headers: { "content-range": `bytes 5-${CONTENT.length - 1}/${CONTENT.length}` },
      })
      : serve(request);
  await withHub(handler, async ({ options, store }) => {
    store.files.set(`${CACHE_PATH}.part`, CONTENT.slice(0, 10));
    await store.writeFileAtomic(`${CACHE_PATH}.part.json`, JSON.stringify({ etag: '"v1"' }));
    deepStrictEqual((await fetchHubFile(FILE, options)).bytes, CONTENT);
  });
});

Deno.test("fetchHubFile() removes wrong bytes and names both checksums", async () => {
  const wrong = CONTENT.slice();
  wrong[0] ^= 1;
  await withHub((request) => serve(request, wrong), async ({ options, store }) => {
    await rejects(
      fetchHubFile(FILE, options),
      (error) => error instanceof DataChecksumError && error.expected === CONTENT_SHA256,
    );
    equal(store.files.size, 0);
  });
});

Deno.test("fetchHubFile() gives up a server that falls silent", async () => {
  const handler = () =>
    new Response(new ReadableStream({ start: (c) => c.enqueue(CONTENT.slice(0, 10)) }));
  await withHub(handler, async ({ options }) => {
    const started = performance.now();
    await rejects(
      fetchHubFile(FILE, { ...options, timeoutMs: 60, attempts: 2 }),
      (error) =>
        error instanceof DataUnavailableError && /nothing heard for 60 ms/.test(error.message),
    );
    ok(performance.now() - started < 2000);
  });
});

Deno.test("fetchHubFile() refuses a file over the size limit, announced or not", async () => {
  const endless = () =>
    new Response(new ReadableStream({ pull: (c) => c.enqueue(CONTENT.slice()) }));
  for (const handler of [(request: Request) => serve(request), endless]) {
    await withHub(handler, async ({ options, store }) => {
      await rejects(fetchHubFile(FILE, { ...options, maxBytes: 200_000 }), /larger than 200000/);
      equal(store.files.size, 0);
    });
  }
});

Deno.test("fetchHubFile() records an unpinned file at first use and holds it to that", async () => {
  let body = CONTENT;
  await withHub((request) => serve(request, body), async ({ options, store }) => {
    const first = await fetchHubFile(UNPINNED, options);
    equal(first.trust, "first-use");
    const lock = JSON.parse(new TextDecoder().decode(store.files.get("cache/hub.lock.json")));
    const entry = lock.files["dataset:owner/set@0123abc/data/train.parquet"];
    equal(entry.sha256, CONTENT_SHA256);
    equal(entry.bytes, CONTENT.length);
    equal((await fetchHubFile(UNPINNED, options)).fromCache, true);

    store.files.delete(CACHE_PATH);
    body = CONTENT.slice(1);
    await rejects(
      fetchHubFile(UNPINNED, options),
      (error) => error instanceof DataChecksumError && /hub\.lock\.json/.test(error.message),
    );
  });
});

Deno.test("fetchHubFile() does not take a damaged lock file for an empty one", async () => {
  await withHub((request) => serve(request), async ({ options, store, requests }) => {
    await store.writeFileAtomic("cache/hub.lock.json", "{");
    await rejects(fetchHubFile(UNPINNED, options), /not a lock file/);
    equal(requests.length, 0);
  });
});

Deno.test("fetchHubFile() names what to do when there is no network", async () => {
  const store = new MemoryStore();
  store.fetch = () => Promise.reject(new TypeError("network unreachable"));
  await rejects(
    fetchHubFile(FILE, { store, attempts: 1, warn: () => {} }),
    (error) =>
      error instanceof DataUnavailableError &&
      /network unreachable.*HF_ENDPOINT.*state-of-the-union/.test(error.message),
  );
  store.variables["HF_HUB_OFFLINE"] = "1";
  await rejects(fetchHubFile(FILE, { store }), /HF_HUB_OFFLINE is set/);
});

Deno.test("fetchHubFile() stops when the caller cancels", async () => {
  await withHub(() => new Response("oops", { status: 503 }), async ({ options }) => {
    const controller = new AbortController();
    const signal = controller.signal;
    const download = fetchHubFile(FILE, { ...options, signal, backoffMs: 60_000 });
    setTimeout(() => controller.abort(new Error("stop now")), 30);
    await rejects(download, /stop now/);
  });
});

Deno.test("fetchHubFile() refuses names that climb out of the cache", async () => {
  const store = new MemoryStore();
  for (const path of ["../x", "a/../../x", "/etc/x", "a//b"]) {
    await rejects(fetchHubFile({ ...FILE, path }, { store }), RangeError);
  }
});

Deno.test("hubUrl() gives the address of data sets and models", () => {
  equal(hubUrl("https://hub.example/", FILE).href, `https://hub.example${PATH}`);
  const model = { kind: "model", repo: "o/m", revision: "refs/pr/1", path: "a b.json" } as const;
  equal(hubUrl("https://h", model).href, "https://h/o/m/resolve/refs%2Fpr%2F1/a%20b.json");
});
