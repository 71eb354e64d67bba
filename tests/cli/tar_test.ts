import assert from "node:assert/strict";
import { readTar } from "../../harness/adapter/mod.ts";

interface Entry {
  name: string;
  content: string;
  type?: string;
  prefix?: string;
}

/** Writes a ustar archive as the POSIX standard lays it out. */
function writeTar(entries: Entry[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const blocks: Uint8Array[] = [];
  for (const { name, content, type = "0", prefix = "" } of entries) {
    const bytes = encoder.encode(content);
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(encoder.encode(text), at);
    put(name, 0);
    put("0000644\0", 100);
    put(bytes.length.toString(8).padStart(11, "0") + "\0", 124);
    put("        ", 148);
    put(type, 156);
    put("ustar\x0000", 257);
    put(prefix, 345);
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(sum.toString(8).padStart(6, "0") + "\0 ", 148);
    const body = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
    body.set(bytes);
    blocks.push(header, body);
  }
  blocks.push(new Uint8Array(1024));
  const archive = new Uint8Array(blocks.reduce((total, block) => total + block.length, 0));
  let offset = 0;
  for (const block of blocks) {
    archive.set(block, offset);
    offset += block.length;
  }
  return archive;
}

function texts(archive: Uint8Array<ArrayBuffer>): Record<string, string> {
  return Object.fromEntries(
    readTar(archive).map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]),
  );
}

Deno.test("readTar() reads files of any length, with prefix and leading ./", () => {
  const long = "x".repeat(1025);
  assert.deepEqual(
    texts(writeTar([
      { name: "./a", content: "hello" },
      { name: "empty", content: "" },
      { name: "b", prefix: "folder", content: long },
    ])),
    { a: "hello", empty: "", "folder/b": long },
  );
});

Deno.test("readTar() passes over folders and links", () => {
  const entries = [
    { name: "folder/", content: "", type: "5" },
    { name: "link", content: "", type: "2" },
    { name: "file", content: "1" },
  ];
  assert.deepEqual(texts(writeTar(entries)), { file: "1" });
});

Deno.test("readTar() refuses a truncated archive", () => {
  const archive = writeTar([{ name: "a", content: "x".repeat(600) }]);
  assert.throws(() => readTar(archive.slice(0, 1000)), /it ends inside the entry at byte 0/);
  assert.throws(() => readTar(archive.slice(0, 1536)), /it ends inside the entry/);
});

Deno.test("readTar() refuses a damaged header and a size that is no number", () => {
  const archive = writeTar([{ name: "a", content: "x" }]);
  archive[0] ^= 1;
  assert.throws(() => readTar(archive), /header at byte 0 is damaged/);
});
