import assert from "node:assert/strict";
import { runConvert } from "../../harness/cli/convert.ts";
import type { ConvertOptions } from "../../harness/cli/convert_command.ts";
import { withoutAlias } from "../../harness/cli/command_alias.ts";
import { STAGING_MARK } from "../../harness/cli/new_folder.ts";
import { UserError } from "../../harness/user_error.ts";
import { needsAdapter, workerPermissions } from "../../harness/worker_permissions.ts";
import { readSafetensors } from "../../train/safetensors.ts";
import { headerLength, readLayout } from "../../train/safetensors_layout.ts";
import { gpuTest } from "../_helpers/gpu.ts";
import { goldenArchitecture } from "../train/convert/_lsg_golden.ts";
import { goldenFiles, splitFiles, writeFiles } from "../train/convert/_lsg_folder.ts";
import { recordingHost, runMain, temporaryFolder } from "./_helpers.ts";

const BERT = goldenArchitecture("bert");
const BART = goldenArchitecture("bart");
const GLOBALS = "bert.embeddings.global_embeddings.weight";
const POSITIONS = "bert.embeddings.position_embeddings.weight";
const SMALL = ["block_size=4", "sparse_block_size=4", "num_global_tokens=2"];

const names = (path: string) => Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
const json = (path: string) => JSON.parse(Deno.readTextFileSync(path));
const bytes = (path: string) => readSafetensors(Deno.readFileSync(path), path);
const text = (value: string) => new TextEncoder().encode(value);

/** Options as the command line leaves them. */
function options(checkpoint: string, out: string, given: Partial<ConvertOptions> = {}) {
  return {
    ...{ checkpoint, out, revision: "main", maxLength: 1024, architecture: undefined },
    ...{ modelType: undefined, set: SMALL, randomGlobalInit: false, globalPositionalStride: 64 },
    ...{ keepFirstGlobalToken: false, resizeLsg: false, useTokenIds: true, seed: 123, parity: [] },
    ...{ bosTokenId: undefined, maskTokenId: undefined, check: false, adapter: "any" },
    ...given,
  } as ConvertOptions;
}

async function refused(work: Promise<number>, message: RegExp, exitCode = 2) {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof UserError, `${error}`);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    assert.equal(error.exitCode, exitCode);
    return true;
  });
}

Deno.test("convert writes the folder under its final name, other tensors byte for byte", async () => {
  await using folder = await temporaryFolder();
  const source = `${folder.path}/bert`;
  await writeFiles(source, goldenFiles(BERT));
  const out = `${folder.path}/long`;
  const set = SMALL.flatMap((text) => ["--set", text]);
  const args = ["bench", "convert", source, "--out", `${out}/`, "--max-length=1024", ...set];
  const { code, stdout, stderr } = await runMain(args);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  const files = ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"];
  assert.deepEqual(names(out), files);
  assert.deepEqual(names(folder.path), ["bert", "long"]);
  assert.deepEqual(stdout.trim().split("\n").sort(), files.map((name) => `${out}/${name}`));
  const [before, after] = [bytes(`${source}/model.safetensors`), bytes(`${out}/model.safetensors`)];
  assert.deepEqual(after.metadata, before.metadata);
  for (const [key, { data }] of before.tensors) {
    if (key !== POSITIONS) assert.deepEqual(after.tensors.get(key)?.data, data, key);
  }
  assert.deepEqual(after.tensors.get(POSITIONS)?.shape, [1024, 16]);
  assert.deepEqual(after.tensors.get(GLOBALS)?.shape, [512, 16]);
  assert.equal(after.tensors.size, before.tensors.size + 1);
  const config = json(`${out}/config.json`);
  assert.deepEqual([config.block_size, config._name_or_path], [4, "long"]);
  const tokenizer = json(`${out}/tokenizer_config.json`);
  assert.deepEqual(tokenizer, { ...BERT.tokenizer, model_max_length: 1024 });

  const again = await runMain(["convert", source, "--out", out]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^Error: Cannot convert to .*\/long: the folder is not empty; .*\n$/);
});

Deno.test("convert takes every option of the command line", async () => {
  await using folder = await temporaryFolder();
  const source = `${folder.path}/bert`;
  await writeFiles(source, goldenFiles(BERT));
  const run = async (name: string, ...given: string[]) => {
    const out = `${folder.path}/${name}`;
    const set = SMALL.flatMap((text) => ["--set", text]);
    const { code, stderr } = await runMain(["convert", "--out", out, ...set, ...given]);
    assert.equal(code, 0, stderr);
    const { tensors } = bytes(`${out}/model.safetensors`);
    return {
      ...{ stderr, config: json(`${out}/config.json`), path: out },
      globals: tensors.get(GLOBALS)!.data,
      positions: tensors.get(POSITIONS)!.shape[0],
    };
  };
  const plain = await run("plain", source, "--max-length", "512");
  const lsg = await run("again", plain.path, "--keep-first-global-token", "--bos-token-id", "9");
  assert.match(lsg.stderr, /^Note: The source is an LSG model already/);
  assert.deepEqual(lsg.globals.slice(0, 16), plain.globals.slice(0, 16));
  const resized = await run("resized", plain.path, "--resize-lsg", "--max-length", "600");
  assert.equal(resized.positions, 600);
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).join() === Array.from(b).join();
  assert.ok(same(resized.globals, plain.globals));
  const apart = [
    await run("bos", source, "--bos-token-id", "9"),
    await run("mask", source, "--mask-token-id", "9"),
    await run("stride", source, "--global-positional-stride=32"),
    await run("types", source, "--use-token-ids", "false"),
    await run("random", source, "--random-global-init", "--seed", "1"),
    await run("random2", source, "--random-global-init", "--seed", "2"),
    await run("fault", source, "--random-global-init", "--parity", "doubleTypeEmbedding"),
  ].map(({ globals }) => Array.from(globals).join());
  assert.equal(new Set([...apart, Array.from(plain.globals).join()]).size, 8);
  const other = await run("class", source, "--architecture", "BertModel", "--model-type", "bert");
  assert.deepEqual(other.config.architectures, ["LSGBertModel"]);
});

Deno.test("convert keeps the split of a large checkpoint", async () => {
  await using folder = await temporaryFolder();
  const source = `${folder.path}/bart`;
  await writeFiles(source, splitFiles(BART, (key) => key.includes("decoder")));
  const host = recordingHost();
  assert.equal(await runConvert(options(source, `${folder.path}/out`), host), 0);
  const index = json(`${folder.path}/out/model.safetensors.index.json`);
  let total = 0;
  const found: Record<string, string> = {};
  for (const file of ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]) {
    for (const [key, { data }] of bytes(`${folder.path}/out/${file}`).tensors) {
      found[key] = file;
      total += data.byteLength;
    }
  }
  assert.deepEqual(index.weight_map, found);
  assert.deepEqual(index.metadata, { total_size: total, origin: "test" });
  const globals = "model.encoder.global_embeddings.weight";
  assert.equal(found[globals], found["model.encoder.embed_positions.weight"]);
});

Deno.test("convert copies a tokenizer and says where it is shorter than the model", async () => {
  await using folder = await temporaryFolder();
  const files = goldenFiles(BERT);
  const tokenizer = text('{ "truncation": {"max_length": 512}, "kept": 1.0 }');
  files.delete("tokenizer_config.json");
  files.delete("vocab.txt");
  files.set("tokenizer.json", tokenizer);
  files.set("vocab.json", text('{"[CLS]": 0, "[MASK]": 4}'));
  await writeFiles(`${folder.path}/source`, files);
  const host = recordingHost();
  const out = `${folder.path}/out`;
  assert.equal(await runConvert(options(`${folder.path}/source`, out), host), 0);
  assert.match(host.errors.join(), /^Note: tokenizer\.json itself cuts texts to 512 tokens/);
  assert.deepEqual(Deno.readFileSync(`${out}/tokenizer.json`), tokenizer);
  assert.deepEqual(json(`${out}/tokenizer_config.json`), { model_max_length: 1024 });
});

const PICKLE =
  /neither model\.safetensors nor .*pytorch_model\.bin are not read, since a pickle can run any code/;

for (
  const [name, change, message] of [
    ["no config.json", (f) => f.delete("config.json"), /it has no config\.json/],
    ["a broken config.json", (f) => f.set("config.json", text("{")), /is not JSON/],
    [
      "a config.json of a list",
      (f) => f.set("config.json", text("[]")),
      /config\.json is no JSON object/,
    ],
    [
      "another model type",
      (f) => f.set("config.json", text(JSON.stringify({ model_type: "roberto" }))),
      /model_type is "roberto", .*; did you mean "roberta"/,
    ],
    [
      "no model type",
      (f) => f.set("config.json", text("{}")),
      /model_type is missing, expected/,
    ],
    [
      "pickled weights",
      (f) => {
        f.set("pytorch_model.bin", f.get("model.safetensors")!);
        f.delete("model.safetensors");
      },
      PICKLE,
    ],
    [
      "a truncated file",
      (f) => f.set("model.safetensors", f.get("model.safetensors")!.subarray(0, -9)),
      /model\.safetensors as safetensors: it has .* bytes, its header describes/,
    ],
    [
      "an empty file",
      (f) => f.set("model.safetensors", new Uint8Array()),
      /it has 0 bytes, expected at least 8/,
    ],
    [
      "a damaged header",
      (f) => {
        const damaged = f.get("model.safetensors")!.slice();
        damaged[8] = 0x7d;
        f.set("model.safetensors", damaged);
      },
      /its header is not JSON/,
    ],
    [
      "no mask token",
      (f) => {
        const { mask_token: _, ...rest } = BERT.tokenizer;
        f.set("tokenizer_config.json", text(JSON.stringify(rest)));
      },
      /the mask token is not named by the tokenizer's files.*--mask-token-id/,
    ],
    ["a broken tokenizer", (f) => f.set("tokenizer_config.json", text("{")), /is not JSON/],
    [
      "an index that leaves the folder",
      (f) => {
        f.delete("model.safetensors");
        const index = { weight_map: { a: "../../etc/secret.safetensors" } };
        f.set("model.safetensors.index.json", text(JSON.stringify(index)));
      },
      /it names the file "\.\.\/\.\.\/etc\/secret\.safetensors"/,
    ],
    [
      "a missing part",
      (f) => {
        f.delete("model.safetensors");
        const index = { weight_map: { a: "part.safetensors" } };
        f.set("model.safetensors.index.json", text(JSON.stringify(index)));
      },
      /part\.safetensors is missing, which its index names/,
    ],
    [
      "an index that names other tensors",
      (f) => {
        f.set("part.safetensors", f.get("model.safetensors")!);
        f.delete("model.safetensors");
        const index = { weight_map: { a: "part.safetensors" } };
        f.set("model.safetensors.index.json", text(JSON.stringify(index)));
      },
      /part\.safetensors has no tensor a/,
    ],
  ] as [string, (files: Map<string, Uint8Array>) => void, RegExp][]
) {
  Deno.test(`convert refuses a checkpoint with ${name} and leaves nothing behind`, async () => {
    await using folder = await temporaryFolder();
    const files = goldenFiles(BERT);
    change(files);
    await writeFiles(`${folder.path}/source`, files);
    const given = options(`${folder.path}/source`, `${folder.path}/out`);
    await refused(runConvert(given, recordingHost()), message);
    assert.deepEqual(names(folder.path), ["source"]);
  });
}

Deno.test("convert refuses a wrong place to read or write, and wrong fields", async () => {
  await using folder = await temporaryFolder();
  const source = `${folder.path}/source`;
  await writeFiles(source, goldenFiles(BERT));
  await Deno.writeTextFile(`${folder.path}/file`, "x");
  const run = (from: string, out: string, given: Partial<ConvertOptions> = {}) =>
    runConvert(options(from, `${folder.path}/${out}`, given), recordingHost());
  await refused(run(`${folder.path}/none`, "out"), /there is no such folder; expected one that/);
  await refused(run(`${folder.path}/file`, "out"), /it is no folder that can be read/);
  await refused(run(source, "file"), /Cannot convert to .*\/file: it is no folder/);
  await refused(run(source, "source"), /the folder is not empty/);
  await refused(run(source, "out", { set: ["blok_size=4"] }), /; did you mean "block_size"\?$/);
  await refused(run(source, "out", { set: ["block_size"] }), /expected --set key=value/);
  await refused(
    run(source, "out", { architecture: "BertForMaskLM" }),
    /; did you mean "BertForMaskedLM"/,
  );
  assert.deepEqual(names(folder.path), ["file", "source"]);
  // An empty folder may be there.
  await Deno.mkdir(`${folder.path}/empty`);
  assert.equal(await run(source, "empty"), 0);
});

Deno.test("convert refuses a folder that cannot be renamed to, before any work", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await writeFiles(`${path}/theirs.partial`, new Map([["mine.txt", text("a person's")]]));
  for (const name of ["empty", "a"]) await Deno.mkdir(`${path}/${name}`);
  await Deno.symlink(`${path}/empty`, `${path}/link`);
  await Deno.symlink(`${path}/nothing`, `${path}/dangling`);
  await Deno.symlink(`${path}/empty`, `${path}/other.partial`);
  await Deno.writeTextFile(`${path}/file.partial`, "x");
  const before = names(path);
  for (
    const [out, message] of [
      ["link", /it is a symbolic link, expected a new folder; name the folder itself or/],
      ["dangling", /it is a symbolic link/],
      ["a/.", /it is a folder that cannot be replaced, expected the name of a new one/],
      ["a/..", /cannot be replaced/],
      ["theirs", /theirs\.partial, where it is put together, holds files of others; move them/],
      ["other", /other\.partial, where it is put together/],
      ["file", /file\.partial, where it is put together/],
    ] as const
  ) {
    // No checkpoint is there: the folder is looked at first.
    const given = options(`${path}/none`, `${path}/${out}`);
    await refused(runConvert(given, recordingHost()), message);
  }
  assert.deepEqual(names(path), before);
  assert.deepEqual(names(`${path}/theirs.partial`), ["mine.txt"]);
  const { code, stderr } = await runMain(["convert", "none", "--out", "."], { cwd: `${path}/a` });
  assert.equal(code, 2);
  assert.match(stderr, /^Error: Cannot convert to \.: it is a folder that cannot be replaced/);
});

Deno.test("convert copies an empty file", async () => {
  await using folder = await temporaryFolder();
  const files = goldenFiles(BERT).set("dict.txt", new Uint8Array());
  await writeFiles(`${folder.path}/source`, files);
  const host = recordingHost();
  assert.equal(await runConvert(options(`${folder.path}/source`, `${folder.path}/out`), host), 0);
  assert.ok(host.printed.includes(`${folder.path}/out/dict.txt`));
  assert.deepEqual(
    host.printed.map((path) => path.slice(folder.path.length + 5)).sort(),
    names(`${folder.path}/out`),
  );
});

Deno.test("convert that cannot write leaves nothing half-written", async () => {
  await using folder = await temporaryFolder();
  await writeFiles(`${folder.path}/source`, goldenFiles(BERT));
  await writeFiles(
    `${folder.path}/out.partial`,
    new Map([["left.txt", text("by a killed run")], [STAGING_MARK, text("")]]),
  );
  let appended = 0;
  const host = recordingHost();
  const failing = {
    ...host,
    appendFile: async (path: string, contents: Uint8Array | string) => {
      if (++appended === 5) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      await host.appendFile(path, contents);
    },
  };
  const given = options(`${folder.path}/source`, `${folder.path}/out`);
  await assert.rejects(runConvert(given, failing), /no space/);
  assert.deepEqual(names(folder.path), ["source"]);
  assert.equal(await runConvert(given, host), 0);
  assert.deepEqual(names(folder.path), ["out", "source"]);
});

/** A hub that serves these files of owner/model. */
async function withHub(
  files: Map<string, Uint8Array>,
  test: (endpoint: string, asked: string[]) => Promise<void>,
) {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const name = new URL(url).pathname.replace("/owner/model/resolve/v2/", "");
    const found = files.get(name);
    asked.push(name);
    return new Response(found?.slice() ?? null, { status: found ? 200 : 404 });
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, asked);
  } finally {
    await server.shutdown();
  }
}

Deno.test("convert fetches a repository of a hub into the cache", async () => {
  await using folder = await temporaryFolder();
  const given = options("owner/model", `${folder.path}/out`, { revision: "v2" });
  await withHub(goldenFiles(BERT), async (endpoint) => {
    const host = recordingHost({
      cacheDir: `${folder.path}/cache`,
      env: { HF_ENDPOINT: endpoint },
    });
    assert.equal(await runConvert(given, host), 0);
    assert.equal(
      bytes(`${folder.path}/out/model.safetensors`).tensors.get(POSITIONS)?.shape[0],
      1024,
    );
    assert.ok(
      names(`${folder.path}/cache/hub/model--owner--model/v2`).includes("model.safetensors"),
    );
    const other = { ...given, checkpoint: "owner/none", out: `${folder.path}/other` };
    await refused(runConvert(other, host), /owner\/none: it has no config\.json/);
  });
  const pickled = goldenFiles(BERT);
  pickled.delete("model.safetensors");
  await withHub(pickled, async (endpoint) => {
    const host = recordingHost({
      cacheDir: `${folder.path}/cache2`,
      env: { HF_ENDPOINT: endpoint },
    });
    const out = `${folder.path}/other`;
    await refused(runConvert({ ...given, out }, host), PICKLE);
  });
  const offline = recordingHost({ cacheDir: `${folder.path}/c3`, env: { HF_HUB_OFFLINE: "1" } });
  const out = `${folder.path}/offline`;
  const message =
    /HF_HUB_OFFLINE is set.* give their folder \(there is no folder owner\/model either\)/;
  await refused(runConvert({ ...given, out }, offline), message, 1);
});

Deno.test("convert checks its options before it fetches weights", async () => {
  await using folder = await temporaryFolder();
  await withHub(goldenFiles(BERT), async (endpoint, asked) => {
    const host = recordingHost({
      cacheDir: `${folder.path}/cache`,
      env: { HF_ENDPOINT: endpoint },
    });
    for (
      const [wrong, message] of [
        [{ set: ["blok_size=4"] }, /did you mean "block_size"/],
        [{ set: ["block_size"] }, /expected --set key=value/],
        [{ architecture: "BertForMaskLM" }, /did you mean "BertForMaskedLM"/],
        [{ modelType: "roberta" }, /--model-type is roberta and model_type in config.json is bert/],
        [{ globalPositionalStride: 0 }, /the stride between globals is 0/],
      ] as const
    ) {
      const given = options("owner/model", `${folder.path}/out`, {
        revision: "v2",
        ...wrong as Partial<ConvertOptions>,
      });
      await refused(runConvert(given, host), message);
    }
    assert.ok(asked.includes("config.json"));
    assert.deepEqual(asked.filter((name) => name.includes("safetensors")), []);
  });
});

gpuTest("convert --check runs both models, and fails where they differ", async () => {
  await using folder = await temporaryFolder();
  await writeFiles(`${folder.path}/source`, goldenFiles(BERT));
  const host = recordingHost();
  const given = { maxLength: 100, check: true };
  const code = await runConvert(
    options(`${folder.path}/source`, `${folder.path}/out`, given),
    host,
  );
  assert.equal(code, 0, host.printed.join("\n"));
  const [short, long] = host.printed.slice(-2);
  assert.match(short, /^passed {2}Short input of 8 tokens without global keys: .* is allowed\.$/);
  assert.match(long, /^passed {2}Long input of 100 tokens: 1600 values, all finite\.$/);

  // A source that overflows by itself makes a converted model that does.
  const files = goldenFiles(BERT);
  const weights = files.get("model.safetensors")!;
  const length = headerLength(weights, weights.length, "source");
  const { tensors } = readLayout(weights.subarray(8, 8 + length), weights.length, "source");
  const { begin } = tensors.get("bert.encoder.layer.1.output.LayerNorm.bias")!;
  new DataView(weights.buffer).setFloat32(begin, Infinity, true);
  await writeFiles(`${folder.path}/bad`, files);
  const bad = await runConvert(options(`${folder.path}/bad`, `${folder.path}/o2`, given), host);
  assert.equal(bad, 1, host.printed.join("\n"));
  assert.match(host.printed.at(-1)!, /^FAILED {2}Long input/);

  const config = text(JSON.stringify({ ...BERT.config, hidden_act: "silu" }));
  await writeFiles(`${folder.path}/silu`, new Map([...goldenFiles(BERT), ["config.json", config]]));
  const unknown = options(`${folder.path}/silu`, `${folder.path}/o3`, given);
  await refused(runConvert(unknown, host), /^Cannot check .*\/o3, which was written: /, 1);
});

Deno.test("workerPermissions() lets convert read its source, write its folder, and use the net for a hub alone", async () => {
  await using folder = await temporaryFolder();
  const host = recordingHost();
  const flags = (...args: string[]) => workerPermissions(["convert", ...args], host);
  const local = flags("--set", "block_size=4", folder.path, "--out", "o/");
  assert.ok(local.includes("--allow-write=o,o.partial"), `${local}`);
  assert.ok(local[0].includes(folder.path), `${local}`);
  assert.ok(!local.some((flag) => /net|run|sys|ffi/.test(flag)), `${local}`);
  const hub = flags("--seed", "3", "owner/model", "--out=o");
  assert.ok(hub.includes("--allow-write=.cache/attention-bench,o,o.partial"), `${hub}`);
  assert.ok(hub.some((flag) => flag.startsWith("--allow-net=huggingface.co")), `${hub}`);
});

Deno.test("needsAdapter() and withoutAlias() know convert", () => {
  assert.equal(needsAdapter(["convert", "x", "--out", "y"]), false);
  assert.equal(needsAdapter(["convert", "x", "--out", "y", "--check"]), true);
  assert.equal(needsAdapter(["bench", "leap"]), true);
  assert.deepEqual(withoutAlias(["bench", "convert", "x"]), ["convert", "x"]);
});
