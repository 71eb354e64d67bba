import assert from "node:assert/strict";
import {
  findAdapterChoice,
  hasBundledAdapter,
  type ProbeResult,
  selectAdapter,
  type SelectAdapterOptions,
} from "../../harness/adapter/mod.ts";
import { fetchArchive } from "../../harness/adapter/fetch_archive.ts";
import { UserError } from "../../harness/user_error.ts";
import { recordingHost, temporaryFolder } from "./_helpers.ts";

const neverFetch = () => Promise.reject(new Error("must not be fetched"));

function options(found: ProbeResult, more: Partial<SelectAdapterOptions>): SelectAdapterOptions {
  return {
    choice: "any",
    os: "linux",
    arch: "x86_64",
    projectDir: "/project",
    probe: () => Promise.resolve(found),
    fetchArchive: neverFetch,
    ...more,
  };
}

Deno.test("findAdapterChoice() reads both spellings and leaves wrong ones alone", () => {
  assert.equal(findAdapterChoice(["bench", "leap"]), "any");
  assert.equal(findAdapterChoice(["bench", "--adapter=bundled"]), "bundled");
  assert.equal(findAdapterChoice(["bench", "--adapter", "hardware", "leap"]), "hardware");
  assert.equal(findAdapterChoice(["bench", "--adapter=quantum"]), "any");
  assert.equal(findAdapterChoice(["bench", "--", "--adapter=bundled"]), "any");
});

Deno.test("selectAdapter() fetches nothing where an adapter is installed", async () => {
  for (const found of ["hardware", "software"] as const) {
    const host = recordingHost();
    const selection = await selectAdapter(host, options(found, {}));
    assert.equal(selection.kind, "installed");
    assert.deepEqual(Object.keys(selection.environment), ["DENO_WEBGPU_BACKEND"]);
    assert.deepEqual(host.errors, []);
  }
});

Deno.test("selectAdapter() keeps a back end that the user chose", async () => {
  const host = recordingHost({ env: { DENO_WEBGPU_BACKEND: "gl" } });
  assert.deepEqual((await selectAdapter(host, options("software", {}))).environment, {});
});

Deno.test("selectAdapter() with hardware refuses software and says what to install", async () => {
  for (const found of ["software", "none"] as const) {
    await assert.rejects(
      () => selectAdapter(recordingHost(), options(found, { choice: "hardware" })),
      (error) =>
        error instanceof UserError && error.exitCode === 1 &&
        /Cannot use a hardware adapter.*Vulkan driver/.test(error.message),
    );
  }
});

Deno.test("selectAdapter() names what other systems need", async () => {
  for (
    const [os, arch, expected] of [
      ["darwin", "aarch64", /Metal/],
      ["windows", "x86_64", /DirectX 12/],
      ["linux", "aarch64", /mesa-vulkan-drivers/],
    ] as const
  ) {
    await assert.rejects(
      () => selectAdapter(recordingHost(), options("none", { os, arch })),
      (error) => error instanceof UserError && expected.test(error.message),
    );
    await assert.rejects(
      () => selectAdapter(recordingHost(), options("hardware", { os, arch, choice: "bundled" })),
      /runs on Linux x64 only/,
    );
  }
});

Deno.test("selectAdapter() on a bare machine unpacks once and says so in one line", {
  ignore: !hasBundledAdapter(Deno.build.os, Deno.build.arch),
}, async () => {
  await using folder = await temporaryFolder();
  const start = async () => {
    const host = recordingHost({
      cacheDir: folder.path,
      env: { LD_LIBRARY_PATH: "/opt/lib" },
    });
    const selection = await selectAdapter(host, options("none", { fetchArchive }));
    return { selection, said: host.errors.join("") };
  };
  const first = await start();
  assert.equal(first.selection.kind, "bundled");
  const { LD_LIBRARY_PATH, VK_ICD_FILENAMES, VK_DRIVER_FILES } = first.selection.environment;
  assert.match(LD_LIBRARY_PATH, /swiftshader-[\d.]+:\/opt\/lib$/);
  assert.equal(VK_ICD_FILENAMES, VK_DRIVER_FILES);
  assert.ok((await Deno.stat(VK_ICD_FILENAMES)).isFile);
  assert.match(first.said, /^No WebGPU adapter found: .*SwiftShader.* done in [\d.]+ s\)$/);
  const second = await start();
  assert.equal(
    second.said,
    "No WebGPU adapter found: restarting with the bundled software adapter SwiftShader",
  );
});
