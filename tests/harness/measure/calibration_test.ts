import assert from "node:assert/strict";
import { calibrate } from "../../../harness/calibration.ts";
import { calibrationSchema } from "../../../harness/result_schema.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

gpuTest("calibrate() measures a roof that fits the schema and frees what it used", async () => {
  const before = gpu.memory.liveBytes;
  const calibration = await calibrate(gpu, { at: "before", now: () => Date.now() });
  calibrationSchema.parse(calibration);
  assert.equal(gpu.memory.liveBytes, before);
  // Any adapter manages a MFLOP/s and a MB/s; none moves an exabyte.
  for (const rates of [calibration.f32FlopsPerSecond, calibration.copyBytesPerSecond]) {
    assert.ok(rates.every((rate) => rate > 1e6 && rate < 1e18), rates.join(" "));
  }
});
