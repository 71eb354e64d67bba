import assert from "node:assert/strict";
import { createDenoHost } from "../../harness/deno_host.ts";
import { StorageError } from "../../harness/host.ts";
import { temporaryFolder } from "./_helpers.ts";

Deno.test("readFile() gives undefined for a missing file and throws for a folder", async () => {
  await using folder = await temporaryFolder();
  const host = createDenoHost();
  assert.equal(await host.readFile(`${folder.path}/missing`), undefined);
  assert.equal(await host.readText(`${folder.path}/missing`), undefined);
  await assert.rejects(() => host.readFile(folder.path), StorageError);
});

Deno.test("writeFileAtomic() makes parent folders, replaces and leaves no temporary file", async () => {
  await using folder = await temporaryFolder();
  const host = createDenoHost();
  const path = `${folder.path}/a/b/result.json`;
  await host.writeFileAtomic(path, "first");
  await host.writeFileAtomic(path, new TextEncoder().encode("second"));
  assert.equal(await host.readText(path), "second");
  assert.deepEqual((await host.list(`${folder.path}/a/b`)).map(({ name }) => name), [
    "result.json",
  ]);
});

Deno.test("writeFileAtomic() on a full disk keeps the old file and removes the partial one", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/result.json`;
  await createDenoHost().writeFileAtomic(path, "old");
  const host = createDenoHost({
    writeNewFile: async (temporary, bytes) => {
      await Deno.writeFile(temporary, bytes.subarray(0, 2));
      throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    },
  });
  await assert.rejects(() => host.writeFileAtomic(path, "a longer new one"), (error) => {
    assert.ok(error instanceof StorageError);
    assert.equal(error.reason, "full");
    assert.match(error.message, /Cannot write .*result\.json: the disk is full/);
    return true;
  });
  assert.equal(await host.readText(path), "old");
  assert.deepEqual((await host.list(folder.path)).map(({ name }) => name), ["result.json"]);
});

Deno.test("writeFileAtomic() into a path below a file fails with a StorageError", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  await assert.rejects(
    () => createDenoHost().writeFileAtomic(`${folder.path}/file/x`, "y"),
    StorageError,
  );
});

Deno.test("concurrent writeFileAtomic() calls leave one whole file", async () => {
  await using folder = await temporaryFolder();
  const host = createDenoHost();
  const path = `${folder.path}/shared`;
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
  await Promise.all(texts.map((text) => host.writeFileAtomic(path, text)));
  assert.ok(texts.includes((await host.readText(path))!));
  assert.equal((await host.list(folder.path)).length, 1);
});

Deno.test("list() sorts and is empty for a missing folder; remove() accepts a missing path", async () => {
  await using folder = await temporaryFolder();
  const host = createDenoHost();
  await host.makeDir(`${folder.path}/b`);
  await host.writeFileAtomic(`${folder.path}/a`, "");
  assert.deepEqual(await host.list(folder.path), [
    { name: "a", isFile: true, isDirectory: false },
    { name: "b", isFile: false, isDirectory: true },
  ]);
  assert.deepEqual(await host.list(`${folder.path}/none`), []);
  await host.remove(`${folder.path}/none`);
  await host.remove(`${folder.path}/b`);
  assert.equal((await host.list(folder.path)).length, 1);
});

Deno.test("fileSize() and readRange() look at a part of a file", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/file`;
  const host = createDenoHost();
  await Deno.writeFile(path, Uint8Array.of(0, 1, 2, 3, 4, 5));
  assert.equal(await host.fileSize(path), 6);
  assert.deepEqual(await host.readRange(path, 2, 5), Uint8Array.of(2, 3, 4));
  assert.deepEqual(await host.readRange(path, 4, 9), Uint8Array.of(4, 5));
  assert.deepEqual(await host.readRange(path, 9, 12), new Uint8Array());
  assert.equal(await host.fileSize(`${folder.path}/none`), undefined);
  assert.equal(await host.readRange(`${folder.path}/none`, 0, 1), undefined);
  assert.equal(await host.fileSize(folder.path), undefined);
  await assert.rejects(host.readRange(folder.path, 0, 1), StorageError);
});
