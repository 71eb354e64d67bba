import assert from "node:assert/strict";
import { growthFit } from "../../../harness/statistics/mod.ts";

Deno.test("growthFit() gives the exponent of a power law and leaves out what cannot be fitted", () => {
  const points = [512, 1024, 2048, 4096].map((T) => [T, 3 * T ** 1.5] as const);
  const common = { variant: "full", metric: "time", x: "T" };
  const [fit] = growthFit({ ...common, points: [...points, [8192, undefined], [64, 0]] });
  assert.ok(fit.kind === "fit" && Math.abs(fit.exponent! - 1.5) < 1e-9);
  assert.deepEqual([fit.n, fit.id], [4, "growth-time-T-full"]);
  assert.equal(growthFit({ ...common, points, id: "of mine" })[0].id, "of-mine");
  assert.deepEqual(growthFit({ ...common, points: points.slice(2) }), []);
});
