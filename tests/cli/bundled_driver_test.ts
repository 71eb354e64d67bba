import assert from "node:assert/strict";
import {
  bundledDriverFolder,
  ensureBundledDriver,
  hasBundledAdapter,
  SWIFTSHADER,
} from "../../harness/adapter/mod.ts";
import { fetchArchive } from "../../harness/adapter/fetch_archive.ts";
import { joinPath } from "../../harness/host.ts";
import { UserError } from "../../harness/user_error.ts";
import { recordingHost, temporaryFolder } from "./_helpers.ts";

// The archive comes from the npm registry (or Deno's cache of it).
const ignore = !hasBundledAdapter(Deno.build.os, Deno.build.arch);

let archive: Promise<Uint8Array<ArrayBuffer>> | undefined;
const pinnedArchive = () => archive ??= fetchArchive();

async function setUp() {
  const folder = await temporaryFolder();
  const host = recordingHost({ cacheDir: folder.path });
  let fetched = 0;
  const options = {
    absoluteCacheDir: folder.path,
    fetchArchive: async () => {
      fetched++;
      return (await pinnedArchive()).slice();
    },
  };
  const path = (name: string) => joinPath(bundledDriverFolder(folder.path), name);
  return {
    host,
    options,
    path,
    fetched: () => fetched,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("ensureBundledDriver() unpacks the driver, the loader and an absolute manifest", {
  ignore,
}, async () => {
  await using test = await setUp();
  const driver = await ensureBundledDriver(test.host, test.options);
  assert.equal(driver.unpacked, true);
  for (const { name, bytes } of SWIFTSHADER.files) {
    assert.equal((await Deno.stat(test.path(name))).size, bytes);
  }
  const manifest = JSON.parse(await Deno.readTextFile(driver.manifest));
  assert.equal(manifest.ICD.library_path, test.path("libvk_swiftshader.so"));
  assert.ok(manifest.ICD.library_path.startsWith("/"));
});

Deno.test("ensureBundledDriver() uses the cache on a second start", { ignore }, async () => {
  await using test = await setUp();
  await ensureBundledDriver(test.host, test.options);
  const again = await ensureBundledDriver(test.host, test.options);
  assert.equal(again.unpacked, false);
  assert.equal(test.fetched(), 1);
});

Deno.test("ensureBundledDriver() replaces truncated and changed files", { ignore }, async () => {
  await using test = await setUp();
  await ensureBundledDriver(test.host, test.options);
  const driverFile = test.path("libvk_swiftshader.so");
  const loaderFile = test.path("libvulkan.so.1");
  await Deno.truncate(driverFile, 1000);
  const loader = await Deno.readFile(loaderFile);
  loader[5000] ^= 1;
  await Deno.writeFile(loaderFile, loader);
  assert.equal((await ensureBundledDriver(test.host, test.options)).unpacked, true);
  assert.equal((await ensureBundledDriver(test.host, test.options)).unpacked, false);
  assert.equal(test.fetched(), 2);
});

Deno.test(
  "ensureBundledDriver() refuses an archive with another checksum",
  { ignore },
  async () => {
    await using test = await setUp();
    const changed = async () => {
      const bytes = (await pinnedArchive()).slice();
      bytes[bytes.length - 1] ^= 1;
      return bytes;
    };
    await assert.rejects(
      () => ensureBundledDriver(test.host, { ...test.options, fetchArchive: changed }),
      (error) => error instanceof UserError && /its SHA-256 is .*, expected/.test(error.message),
    );
    assert.deepEqual(await test.host.list(bundledDriverFolder(test.host.cacheDir)), []);
  },
);

Deno.test("ensureBundledDriver() refuses a truncated archive", { ignore }, async () => {
  await using test = await setUp();
  const truncated = async () => (await pinnedArchive()).slice(0, 1_000_000);
  await assert.rejects(
    () => ensureBundledDriver(test.host, { ...test.options, fetchArchive: truncated }),
    (error) =>
      error instanceof UserError && /it has 1000000 bytes, expected 1637479/.test(error.message),
  );
});

Deno.test("concurrent ensureBundledDriver() calls end with whole files", { ignore }, async () => {
  await using test = await setUp();
  await Promise.all([1, 2, 3].map(() => ensureBundledDriver(test.host, test.options)));
  assert.equal((await ensureBundledDriver(test.host, test.options)).unpacked, false);
  assert.equal((await test.host.list(bundledDriverFolder(test.host.cacheDir))).length, 3);
});

Deno.test("ensureBundledDriver() rewrites the manifest when the project has moved", {
  ignore,
}, async () => {
  await using test = await setUp();
  await ensureBundledDriver(test.host, test.options);
  const moved = { ...test.options, absoluteCacheDir: "/elsewhere/cache" };
  const { unpacked, manifest } = await ensureBundledDriver(test.host, moved);
  assert.equal(unpacked, false);
  assert.match(await Deno.readTextFile(manifest), /"\/elsewhere\/cache\/adapter\//);
});
