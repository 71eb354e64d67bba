import assert from "node:assert/strict";
import { GpuLedger } from "../../../benchmarks/peers/gpu_ledger.ts";
import { PassClock } from "../../../benchmarks/peers/pass_clock.ts";
import { Gpu } from "../../../engine/mod.ts";
import { noAdapter } from "../../_helpers/gpu.ts";

const storage = () => ({ usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  return await adapter!.requestDevice();
}

function gpuCase(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: noAdapter, sanitizeOps: false, sanitizeResources: false, fn });
}

gpuCase("GpuLedger counts live and peak bytes per device", async () => {
  const ledger = new GpuLedger();
  try {
    const first = await openDevice();
    const second = await openDevice();
    const a = first.createBuffer({ size: 1024, ...storage() });
    const b = first.createBuffer({ size: 512, ...storage() });
    second.createBuffer({ size: 64, ...storage() });
    a.destroy();
    a.destroy();
    first.createBuffer({ size: 256, ...storage() });
    assert.deepEqual(ledger.counts(first), {
      liveBytes: 768,
      peakBytes: 1536,
      buffersCreated: 3,
      dispatches: 0,
      submissions: 0,
    });
    assert.equal(ledger.counts(second).peakBytes, 64);
    b.destroy();
    assert.equal(ledger.counts(first).liveBytes, 256);
    first.destroy();
    second.destroy();
  } finally {
    ledger.close();
  }
});

gpuCase("GpuLedger agrees with the engine's own counters", async () => {
  const ledger = new GpuLedger();
  const gpu = await Gpu.open();
  try {
    const before = gpu.counters;
    const counted = ledger.counts(gpu.device);
    gpu.scope(() => {
      gpu.full([1000], 1);
      gpu.full([2000], 2);
    });
    await gpu.idle();
    const after = gpu.counters;
    const { dispatches, submissions, buffersCreated } = ledger.counts(gpu.device);
    assert.equal(dispatches - counted.dispatches, after.dispatches - before.dispatches);
    assert.equal(dispatches - counted.dispatches, 2);
    assert.equal(submissions - counted.submissions, 1);
    assert.equal(buffersCreated - counted.buffersCreated, 2);
  } finally {
    ledger.close();
    gpu.destroy();
  }
});

gpuCase("GpuLedger leaves no hook behind when it is closed", async () => {
  const before = GPUDevice.prototype.createBuffer;
  const first = new GpuLedger();
  const second = new GpuLedger();
  assert.notEqual(GPUDevice.prototype.createBuffer, before);
  first.close();
  assert.notEqual(GPUDevice.prototype.createBuffer, before);
  second.close();
  assert.equal(GPUDevice.prototype.createBuffer, before);
  await Promise.resolve();
});

gpuCase("PassClock gives more time to more work and none to none", async () => {
  const clock = new PassClock();
  const gpu = await Gpu.open();
  try {
    if (!gpu.info.hasTimestamps) return;
    const busy = async (count: number) => {
      clock.start();
      gpu.scope(() => {
        for (let i = 0; i < count; i++) gpu.full([2 ** 20], i);
      });
      await gpu.idle();
      clock.stop();
      return await clock.busyNs(gpu.device);
    };
    await busy(1);
    assert.equal(await busy(0), null);
    const one = await busy(1);
    const many = await busy(40);
    assert.ok(one !== null && one > 0, `one fill took ${one} ns`);
    assert.ok(many !== null && many > 4 * one, `40 fills took ${many} ns, one ${one} ns`);
    gpu.scope(() => void gpu.full([2 ** 20], 1));
    await gpu.idle();
    clock.start();
    clock.stop();
    assert.equal(await clock.busyNs(gpu.device), null, "a pass outside the region was counted");
  } finally {
    clock.close();
    gpu.destroy();
  }
});
