import assert from "node:assert/strict";
import type { Benchmark } from "../../../harness/contract.ts";
import { keepCheckpoints } from "../../../harness/runner.ts";
import { createMemoryHost } from "../_helpers/memory_host.ts";

Deno.test("keepCheckpoints() copies what the tasks wrote out of the run's folder", async () => {
  const host = createMemoryHost();
  await host.writeFileAtomic("cache/runs/x/artifacts/a-0.safetensors", Uint8Array.of(1, 2));
  const benchmark = {
    name: "toy",
    checkpoints: ({ variants }: { variants: string[] }) =>
      variants.map((variant) => ({ variant, artifact: `${variant}-0.safetensors` })),
  } as unknown as Benchmark<{ variants: string[] }>;
  // The task of b failed or belongs to another shard.
  const job = { preset: "small", config: { variants: ["a", "b"] } };
  const kept = await keepCheckpoints(host, benchmark, job, "cache/runs/x");
  assert.deepEqual(kept, ["cache/checkpoints/toy-small-a.safetensors"]);
  await host.remove("cache/runs/x");
  assert.deepEqual(await host.readFile(kept[0]), Uint8Array.of(1, 2));
  const none = { ...benchmark, checkpoints: undefined };
  assert.deepEqual(await keepCheckpoints(host, none, job, "cache/runs/x"), []);
});
