import type { TaskContext } from "../../harness/contract.ts";

/** Peak bytes of one run; what lives already, weights and inputs, is not counted. */
export async function peakOf(
  { gpu }: Pick<TaskContext, "gpu">,
  run: () => unknown,
): Promise<number> {
  await gpu.idle();
  gpu.memory.resetPeak();
  const before = gpu.memory.liveBytes;
  gpu.scope(() => void run());
  await gpu.idle();
  return gpu.memory.peakBytes - before;
}
