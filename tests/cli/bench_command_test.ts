import assert from "node:assert/strict";
import { readResult } from "../../harness/read_result.ts";
import { PROJECT, runDeno, temporaryFolder } from "./_helpers.ts";

const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=cpus,osRelease,systemMemoryInfo",
];

const hasAdapter = await navigator.gpu?.requestAdapter() !== null;

/** Runs the command line that knows the benchmarks `addition` and `failing`. */
function runTestBenchmarks(args: readonly string[], cwd: string) {
  return runDeno([
    "run",
    "--quiet",
    "--no-prompt",
    `--config=${PROJECT}deno.json`,
    ...PERMISSIONS,
    `${PROJECT}tests/cli/_command_line.ts`,
    ...args,
  ], { cwd });
}

async function resultFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.endsWith(".json") && entry.name !== "machine.json") {
      files.push(`${folder}/${entry.name}`);
    }
  }
  return files.sort();
}

Deno.test("bench runs a benchmark and writes JSON and Markdown", {
  ignore: !hasAdapter,
}, async () => {
  await using folder = await temporaryFolder();
  const args = ["bench", "addition", "--preset", "smoke", "--out", "out", "--machine", "here"];
  const { code, stderr } = await runTestBenchmarks(args, folder.path);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Adapter: .+ \((?:hardware|software)\)\. Preset: smoke$/m);
  assert.match(stderr, /addition: 3 tasks/);
  assert.match(stderr, /rows: 3 ok; out\/here\/.*\.md/);
  const [file] = await resultFiles(`${folder.path}/out/here`);
  const result = await readResult(await Deno.readTextFile(file));
  assert.equal(result.complete, true);
  assert.equal(result.preset, "smoke");
  assert.equal(result.system.machine, "here");
  assert.deepEqual(result.calibration.map(({ at }) => at), ["before", "after"]);
  assert.deepEqual(result.cells.map((cell) => cell.metrics[0].value), [8, 8, 8]);
  const markdown = await Deno.readTextFile(file.replace(/json$/, "md"));
  assert.match(markdown, /3 rows were recorded\./);
});

Deno.test("bench --json prints the result alone on standard output; --set makes it custom", {
  ignore: !hasAdapter,
}, async () => {
  await using folder = await temporaryFolder();
  const args = [
    "bench",
    "addition",
    "--no-calibration",
    "--json",
    "--set",
    "tasks=1",
    "--set",
    "inner.label=b",
  ];
  const { code, stdout, stderr } = await runTestBenchmarks(
    [...args, "--preset=smoke", "--seed=7"],
    folder.path,
  );
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.preset, "custom");
  assert.equal(result.seeds.base, 7);
  assert.deepEqual(result.config.inner, { label: "b" });
  assert.equal(result.cells.length, 1);
});

Deno.test("bench says which preset it chose for the adapter", { ignore: !hasAdapter }, async () => {
  await using folder = await temporaryFolder();
  const { code, stderr } = await runTestBenchmarks(
    ["bench", "addition", "--no-calibration"],
    folder.path,
  );
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /\(software\)\. Preset: smoke \(default on a software|\(hardware\)\. Preset: small \(default/,
  );
});

Deno.test("bench all goes on after a failing benchmark and exits with 1", {
  ignore: !hasAdapter,
}, async () => {
  await using folder = await temporaryFolder();
  const { code, stderr } = await runTestBenchmarks(
    ["bench", "all", "--no-calibration", "--preset=smoke", "--out=out", "--machine=m"],
    folder.path,
  );
  assert.equal(code, 1);
  assert.match(stderr, /FAILED Task 1: .*planted failure/);
  const files = await resultFiles(`${folder.path}/out/m`);
  assert.deepEqual(files.map((file) => file.match(/-(addition|failing)-/)?.[1]).sort(), [
    "addition",
    "failing",
  ]);
});

Deno.test("bench refuses wrong options in one line, with exit code 2, before running", async () => {
  await using folder = await temporaryFolder();
  const cases: [string[], RegExp][] = [
    [["bench", "additon"], /Did you mean "addition"\?|did you mean/i],
    [["bench"], /Name a benchmark, or all/],
    [["bench", "addition", "--preset", "smal"], /small/],
    [["bench", "addition", "--shard", "3/2"], /expected i\/n with 1 <= i <= n/],
    [["bench", "addition", "--seed", "x"], /seed|integer/i],
    [["bench", "addition", "--sett", "x=1"], /--set/],
    [["bnch"], /Did you mean `bench`\?/],
    [["compare", "one.json"], /two result files/],
    [["report", "none.json"], /Cannot read none\.json: there is no such file/],
  ];
  await Promise.all(cases.map(async ([args, expected]) => {
    const { code, stdout, stderr } = await runTestBenchmarks(args, folder.path);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, expected, args.join(" "));
    assert.doesNotMatch(stderr, /^ +at /m, "a stack was shown");
    assert.equal(stdout, "");
  }));
});

Deno.test("bench refuses an unknown key of --set with exit code 2", {
  ignore: !hasAdapter,
}, async () => {
  await using folder = await temporaryFolder();
  const args = ["bench", "addition", "--set", "siz=3"];
  const { code, stderr } = await runTestBenchmarks(args, folder.path);
  assert.equal(code, 2);
  assert.match(stderr, /Error: Cannot set "siz": unknown key; did you mean "size"/);
});

Deno.test("Ctrl-C keeps finished tasks, exits with 130, and the next run goes on", {
  ignore: !hasAdapter || Deno.build.os === "windows",
}, async () => {
  await using folder = await temporaryFolder();
  const common = ["--no-calibration", "--preset=smoke", "--out=out", "--machine=m"];
  const args = ["bench", "addition", ...common];
  const script = [
    "run",
    "--quiet",
    "--no-prompt",
    `--config=${PROJECT}deno.json`,
    ...PERMISSIONS,
    `${PROJECT}tests/cli/_command_line.ts`,
    ...args,
    "--set=stepMs=60",
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: script,
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  let interrupted = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (!interrupted && said.includes("Task 1")) {
      interrupted = true;
      child.kill("SIGINT");
    }
  }
  const { code } = await child.status;
  assert.equal(code, 130, said);
  assert.match(said, /run the same command again to go on/);
  const again = await runTestBenchmarks([...args, "--set=stepMs=60"], folder.path);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /3 tasks, 1 taken over from an interrupted run/);
  const [file] = await resultFiles(`${folder.path}/out/m`);
  const result = await readResult(await Deno.readTextFile(file));
  assert.deepEqual(result.sessions.map(({ end }) => end), ["aborted", "finished"]);
  assert.equal(result.cells.length, 3);
});

Deno.test("report --merge joins two shards; compare and report read what bench wrote", {
  ignore: !hasAdapter,
}, async () => {
  await using folder = await temporaryFolder();
  const common = ["--no-calibration", "--preset=smoke", "--out=out", "--machine=m"];
  const base = ["bench", "addition", ...common];
  for (const shard of ["1/2", "2/2"]) {
    const { code, stderr } = await runTestBenchmarks([...base, "--shard", shard], folder.path);
    assert.equal(code, 0, stderr);
  }
  const parts = await resultFiles(`${folder.path}/out/m`);
  assert.equal(parts.length, 2);
  const merged = await runTestBenchmarks(
    ["report", ...parts, "--merge", "--out=joined"],
    folder.path,
  );
  assert.equal(merged.code, 0, merged.stderr);
  const [json, markdown] = merged.stdout.trim().split("\n");
  const result = await readResult(await Deno.readTextFile(`${folder.path}/${json}`));
  assert.equal(result.complete, true);
  assert.equal(result.cells.length, 3);

  await Deno.remove(`${folder.path}/${markdown}`);
  const again = await runTestBenchmarks(["report", json], folder.path);
  assert.equal(again.code, 0, again.stderr);
  assert.match(await Deno.readTextFile(`${folder.path}/${markdown}`), /3 rows were recorded/);

  const compared = await runTestBenchmarks(["compare", json, json], folder.path);
  assert.equal(compared.code, 0, compared.stderr);
  assert.match(compared.stdout, /^# Comparison/);
});

Deno.test("list shows every benchmark with its question and its work", async () => {
  await using folder = await temporaryFolder();
  const plain = await runTestBenchmarks(["list"], folder.path);
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(
    plain.stdout,
    /addition {2}Test benchmark addition\n {2}Does the command line work\?/,
  );
  assert.match(plain.stdout, /Tasks: smoke 3, small 4, paper 5/);
  const json = JSON.parse((await runTestBenchmarks(["list", "--json"], folder.path)).stdout);
  assert.deepEqual(json.map(({ name }: { name: string }) => name), ["addition", "failing"]);
});

Deno.test("help and version exit with 0", async () => {
  await using folder = await temporaryFolder();
  for (const args of [["--help"], ["bench", "--help"], ["help", "bench"]]) {
    const { code, stdout } = await runTestBenchmarks(args, folder.path);
    assert.equal(code, 0, args.join(" "));
    assert.match(stdout, /Usage: deno task/);
  }
  const { code, stdout } = await runTestBenchmarks(["--version"], folder.path);
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
