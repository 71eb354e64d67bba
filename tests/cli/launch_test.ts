import assert from "node:assert/strict";
import { hasBundledAdapter } from "../../harness/adapter/mod.ts";
import { createDenoHost } from "../../harness/deno_host.ts";
import { READABLE_VARIABLES, workerPermissions } from "../../harness/worker_permissions.ts";
import { PROJECT, recordingHost, runDeno } from "./_helpers.ts";

const LAUNCH = [
  "run",
  "--quiet",
  "--no-prompt",
  "--allow-read",
  "--allow-env",
  "--allow-run",
  "--allow-write=.cache",
  "harness/launch.ts",
];

// No Vulkan driver is found with these, as on a machine that has none.
const BARE = {
  VK_ICD_FILENAMES: "/nonexistent.json",
  VK_DRIVER_FILES: "/nonexistent.json",
  DENO_WEBGPU_BACKEND: "vulkan",
};

const ignore = !hasBundledAdapter(Deno.build.os, Deno.build.arch);

Deno.test("the launcher brings its own adapter to a bare machine", { ignore }, async () => {
  const { code, stdout, stderr } = await runDeno([...LAUNCH, "doctor", "--quick", "--json"], {
    env: BARE,
  });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^No WebGPU adapter found: restarting with .*SwiftShader.*$/m);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  const { system, environment } = JSON.parse(stdout);
  assert.match(system.accelerator.description, /SwiftShader/);
  assert.equal(system.accelerator.class, "software");
  assert.equal(environment.variables.ATTENTION_BENCH_ADAPTER, "bundled");
});

Deno.test("doctor without any adapter explains it and exits with 1", { ignore }, async () => {
  const { code, stdout } = await runDeno([
    ...LAUNCH,
    "doctor",
    "--quick",
    "--adapter=hardware",
  ], { env: BARE });
  assert.equal(code, 1);
  assert.match(stdout, /problem +Cannot use a hardware adapter: there is none; install/);
});

Deno.test("the launcher passes on the exit code of wrong use", { ignore }, async () => {
  const { code, stderr } = await runDeno([...LAUNCH, "bench", "--adapter=quantum", "x"]);
  assert.equal(code, 2, stderr);
});

Deno.test("workerPermissions() never grants everything, and reading stays in the project", () => {
  const host = createDenoHost();
  for (const command of ["bench", "doctor", "compare", "report", "data", "list"]) {
    const flags = workerPermissions([command], host);
    assert.ok(flags.every((flag) => flag.includes("=")), `${command}: ${flags}`);
    assert.ok(flags.includes("--allow-read=."), command);
  }
});

Deno.test("workerPermissions() adds the files and folders that the arguments name", () => {
  const host = recordingHost();
  const [read] = workerPermissions(["compare", "/data/a/one.json", "b/two.json"], host);
  assert.equal(read, "--allow-read=.,/data/a,b");
  const flags = workerPermissions(["bench", "leap", "--out", "/data/out"], host);
  assert.ok(flags.includes("--allow-write=.cache/attention-bench,results,/data/out"), `${flags}`);
  assert.ok(!workerPermissions(["compare", "a.json"], host).some((flag) => /net|sys/.test(flag)));
});

Deno.test("workerPermissions() adds a mirror of the hub to the reachable hosts", () => {
  const host = recordingHost({ env: { HF_ENDPOINT: "http://127.0.0.1:8080" } });
  const net = workerPermissions(["data"], host).find((flag) => flag.startsWith("--allow-net"));
  assert.match(net ?? "", /,127\.0\.0\.1:8080$/);
});

Deno.test("workerPermissions() lets every command read the variables of the data hub", async () => {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${PROJECT}data`)) {
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(`${PROJECT}data/${name}`);
    names.push(...Array.from(text.matchAll(/\.env\("(\w+)"\)/g), ([, variable]) => variable));
  }
  assert.deepEqual(names.sort(), ["HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_TOKEN"]);
  for (const name of names) assert.ok(READABLE_VARIABLES.includes(name), name);
});

Deno.test("the launcher explains a path with a comma, and a convert without --out", async () => {
  for (
    const [args, message] of [
      [
        ["convert", "a/b", "--out", "a,b"],
        /^Error: Cannot convert: the path a,b holds a comma, .*\n$/,
      ],
      [
        ["convert", "./a,b", "--out", "c"],
        /^Error: Cannot convert: the path \.\/a,b holds a comma/,
      ],
      [["export", "a,b.safetensors"], /^Error: Cannot export: the path a,b holds a comma/],
    ] as const
  ) {
    const { code, stderr } = await runDeno([...LAUNCH, ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  const { code, stderr } = await runDeno([...LAUNCH, "convert", "tests"]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /--out/);
  assert.doesNotMatch(stderr, /backtrace|Empty path/);
});
