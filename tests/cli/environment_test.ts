import assert from "node:assert/strict";
import type { AdapterInfo } from "../../engine/mod.ts";
import { describeEnvironment, describeSystem, machineName } from "../../harness/environment.ts";
import { readGitSource } from "../../harness/git_source.ts";
import { environmentSchema, systemSchema } from "../../harness/result_schema.ts";
import { recordingHost } from "./_helpers.ts";

const info: AdapterInfo = {
  vendor: "65541",
  architecture: "",
  device: "0",
  description: "llvmpipe (LLVM 15.0.6, 256 bits)",
  class: "software",
  isFallbackAdapter: true,
  features: ["timestamp-query", "shader-f16"],
  limits: { maxBufferSize: 2 ** 31 },
  hasTimestamps: true,
};

Deno.test("describeSystem() fits the schema, sorts features and names driver and machine", async () => {
  const system = await describeSystem(info, recordingHost());
  systemSchema.parse(system);
  assert.deepEqual(system.accelerator.features, ["shader-f16", "timestamp-query"]);
  assert.equal(system.accelerator.driver, "Mesa llvmpipe (LLVM 15.0.6)");
  assert.match(system.machine, /^llvmpipe-llvm-15-0-6-256-bits/);
  assert.equal((await describeSystem(info, recordingHost(), { machine: "x" })).machine, "x");
});

Deno.test("describeEnvironment() fits the schema and records the variables that change a run", async () => {
  const host = recordingHost({
    env: { CI: "true", VK_ICD_FILENAMES: "/home/someone/icd.json", SECRET: "x" },
  });
  const environment = await describeEnvironment(host);
  environmentSchema.parse(environment);
  assert.equal(environment.continuousIntegration, true);
  assert.deepEqual(environment.variables, { VK_ICD_FILENAMES: "icd.json" });
  assert.ok(environment.flags.includes("--unstable-webgpu"));
  assert.equal(environment.runtimeVersion, Deno.version.deno);
});

Deno.test("machineName() is a safe folder name", () => {
  assert.equal(machineName(["NVIDIA GeForce RTX 4090"]), "nvidia-geforce-rtx-4090");
  assert.equal(machineName(["AMD Radeon(TM) 780M", "../x"]), "amd-radeon-780m-x");
  assert.equal(machineName([""]), "unknown");
  assert.ok(machineName(["a".repeat(100)]).length <= 60);
});

Deno.test("readGitSource() reads commit, date and changes", async () => {
  const bytes = (text: string) => Promise.resolve(new TextEncoder().encode(text));
  const hash = "a".repeat(40);
  const git = (dirty: boolean) => (args: string[]) =>
    bytes(
      args[0] === "log"
        ? `${hash} 2026-11-22T10:00:00+01:00\n`
        : args[0] === "status"
        ? (dirty ? " M x.ts\n" : "")
        : "diff",
    );
  assert.deepEqual(await readGitSource(git(false)), {
    commit: hash,
    commitDate: "2026-11-22T10:00:00+01:00",
    dirty: false,
    diffSha256: null,
  });
  const changed = await readGitSource(git(true));
  assert.equal(changed.dirty, true);
  assert.match(changed.diffSha256 ?? "", /^[0-9a-f]{64}$/);
});

Deno.test("readGitSource() without git gives nulls", async () => {
  assert.deepEqual(await readGitSource(() => Promise.resolve(undefined)), {
    commit: null,
    commitDate: null,
    dirty: null,
    diffSha256: null,
  });
});
