import assert from "node:assert/strict";
import { type Gpu, matmulTunable, pinChoice } from "../../engine/mod.ts";
import type { Host } from "../../harness/host.ts";
import { choicesInForce, tuneDevice } from "../../harness/tune_device.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

/** The part of a host that tuning needs, in memory. */
function memoryHost(): { host: Host; files: Map<string, string> } {
  const files = new Map<string, string>();
  const host = {
    cacheDir: "cache",
    readText: (path: string) => Promise.resolve(files.get(path)),
    writeFileAtomic: (path: string, text: string) => Promise.resolve(void files.set(path, text)),
  };
  return { host: host as unknown as Host, files };
}

const SIZES = { matmul: [{ M: 24, N: 24, K: 24 }], attention: [] };

async function tuneOnce(device: Gpu, host: Host): Promise<string[]> {
  const lines: string[] = [];
  await tuneDevice(device, host, SIZES, (line) => lines.push(line));
  return lines;
}

gpuTest("tuneDevice() tunes once per adapter and takes the stored choices over", async () => {
  const { host, files } = memoryHost();
  gpu.choices.clear();
  assert.match((await tuneOnce(gpu, host))[0], /^Tuned 1 kernel classes/);
  const [[path, text]] = files;
  assert.match(path, /^cache\/tuning\/[0-9a-f]+\.json$/);
  assert.deepEqual(await tuneOnce(gpu, host), [], "nothing is left to tune");
  assert.equal(files.get(path), text);

  // A choice that the file holds comes into force again in a new process.
  const key = JSON.parse(text).tuned[0];
  const stored = JSON.parse(text);
  const choices = JSON.parse(stored.choices);
  choices.choices = { [key]: "direct 16x16" };
  files.set(path, JSON.stringify({ ...stored, choices: JSON.stringify(choices) }));
  gpu.choices.clear();
  assert.deepEqual(await tuneOnce(gpu, host), []);
  assert.deepEqual(choicesInForce(gpu), { [key]: "direct 16x16" });
  gpu.choices.clear();
});

gpuTest(
  "tuneDevice() tunes again where the stored file is damaged or of other kernels",
  async () => {
    const { host, files } = memoryHost();
    await tuneOnce(gpu, host);
    const [[path, text]] = files;
    files.set(path, text.slice(0, 20));
    assert.match((await tuneOnce(gpu, host))[0], /is not JSON/);
    files.set(path, JSON.stringify({ ...JSON.parse(text), kernels: "0" }));
    const lines = await tuneOnce(gpu, host);
    assert.match(lines[0], /kernels changed/);
    assert.match(lines[1], /^Tuned/);
    pinChoice(gpu, matmulTunable, undefined);
    gpu.choices.clear();
  },
);
