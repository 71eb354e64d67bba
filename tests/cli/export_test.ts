import assert from "node:assert/strict";
import { withoutAlias } from "../../harness/cli/command_alias.ts";
import { runExport } from "../../harness/cli/export.ts";
import { exportFolder } from "../../harness/cli/export_folder.ts";
import { UserError } from "../../harness/user_error.ts";
import { workerPermissions } from "../../harness/worker_permissions.ts";
import { gpuTest } from "../_helpers/gpu.ts";
import { byteCheckpoint, tinyGpt2 } from "../train/export/_exported_model.ts";
import { recordingHost, runMain, temporaryFolder } from "./_helpers.ts";

const names = (path: string) => Array.from(Deno.readDirSync(path), ({ name }) => name).sort();

gpuTest("export writes the folder under its final name and prints its files", async () => {
  await using folder = await temporaryFolder();
  const model = tinyGpt2();
  const checkpoint = `${folder.path}/tiny.safetensors`;
  await Deno.writeFile(checkpoint, await byteCheckpoint(model));
  model.dispose();
  const { code, stdout, stderr } = await runMain(["bench", "export", checkpoint]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(names(folder.path), ["tiny", "tiny.safetensors"]);
  assert.deepEqual(names(`${folder.path}/tiny/onnx`), ["model.onnx"]);
  assert.equal(stdout.trim().split("\n").length, 6);
  assert.match(stdout, /\/tiny\/onnx\/model\.onnx$/m);

  const again = await runMain(["export", checkpoint]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^Error: Cannot export to .*\/tiny: the folder is not empty; .*\n$/);
});

Deno.test("export of a wrong file is one message, exit code 2, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const host = recordingHost();
  await Deno.writeTextFile(`${folder.path}/text.md`, "# Not a checkpoint at all\n".repeat(9));
  for (
    const [path, message] of [
      ["text.md", /as safetensors: its header claims/],
      ["missing.safetensors", /there is no such file; expected a checkpoint/],
      [".", /Cannot read/],
    ] as const
  ) {
    const options = { checkpoint: `${folder.path}/${path}`, out: `${folder.path}/out` };
    await assert.rejects(runExport(options, host), (error: Error) => {
      assert.ok(error instanceof UserError, `${error}`);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(names(folder.path), ["text.md"]);
});

gpuTest("export that cannot write leaves nothing half-written", async () => {
  await using folder = await temporaryFolder();
  const model = tinyGpt2();
  const checkpoint = `${folder.path}/tiny.safetensors`;
  await Deno.writeFile(checkpoint, await byteCheckpoint(model));
  model.dispose();
  let writes = 0;
  const host = recordingHost({
    writeNewFile: async (path, bytes) => {
      if (++writes === 3) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      await Deno.writeFile(path, bytes);
    },
  });
  await assert.rejects(runExport({ checkpoint, out: undefined }, host), /the disk is full/);
  assert.deepEqual(names(folder.path), ["tiny.safetensors"]);
});

Deno.test("exportFolder() takes the checkpoint's name without its ending, or the folder named", () => {
  assert.equal(exportFolder("a/b.safetensors"), "a/b");
  assert.equal(exportFolder("a/b"), "a/b-export");
  assert.equal(exportFolder("a/b.safetensors", "c/"), "c");
  assert.equal(exportFolder("a/b", "a/b"), "a/b");
});

Deno.test("withoutAlias() reads bench export as export and nothing else", () => {
  assert.deepEqual(withoutAlias(["bench", "export", "x"]), ["export", "x"]);
  assert.deepEqual(withoutAlias(["bench", "leap", "export"]), ["bench", "leap", "export"]);
});

Deno.test("workerPermissions() lets export write its folder and nothing else", () => {
  const host = recordingHost();
  const flags = (...args: string[]) => workerPermissions(["export", ...args], host);
  assert.ok(flags("m/a.safetensors").includes("--allow-write=m/a,m/a.partial"));
  for (
    const args of [["--out", "o/", "m/a"], ["m/a", "--out=o"], ["m/a", "--out", "o"]]
  ) {
    assert.ok(flags(...args).includes("--allow-write=o,o.partial"), `${args}`);
    assert.ok(!flags(...args).some((flag) => /net|run|sys|ffi/.test(flag)));
  }
});
