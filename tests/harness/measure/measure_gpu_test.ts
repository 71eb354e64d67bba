import assert from "node:assert/strict";
import { matmul } from "../../../engine/mod.ts";
import { createTaskContext } from "../../../harness/runner/task_context.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";

gpuTest(
  "TaskContext.measure() times kernels, sees the larger one and frees their outputs",
  async () => {
    const { context } = createTaskContext({
      benchmark: "toy",
      gpu,
      host: createMemoryHost(),
      task: { id: "t", title: "t", weight: 1, kind: "time", variants: [], params: {} },
      folder: "cache/toy",
      baseSeed: 1,
      session: 1,
      calibration: null,
      signal: new AbortController().signal,
      log: () => {},
      progress: () => {},
    });
    const small = gpu.full([64, 64], 1).keep();
    const large = gpu.full([256, 256], 1).keep();
    const before = gpu.memory.liveBytes;
    const found = await context.measure([
      { name: "small", phase: "forward", run: () => matmul(small, small) },
      { name: "large", phase: "forward", run: () => matmul(large, large) },
      { name: "broken", phase: "forward", run: () => matmul(small, large) },
    ], { minSamples: 4, maxSamples: 6 });
    assert.equal(gpu.memory.liveBytes, before);
    const [a, b, broken] = found;
    // 64 times the arithmetic: even a busy software adapter shows it.
    assert.ok(b.timing!.stats!.medianNs > 2 * a.timing!.stats!.medianNs);
    assert.ok(a.timing!.number > b.timing!.number);
    assert.equal(broken.timing, null);
    assert.match(broken.error!.name, /ShapeError/);
    small.dispose();
    large.dispose();
  },
);
