import assert from "node:assert/strict";
import { leapFlops } from "../../../attention/leap/mod.ts";

const sizes = { B: 1, T: 1024, H: 4, d: 32 } as const;

Deno.test("leapFlops() is linear in T and the same for every window inside it", () => {
  for (const variant of ["2022-08", "1.0", "1.0.1"] as const) {
    const near = leapFlops({ ...sizes, variant, window: 4 });
    assert.deepEqual(leapFlops({ ...sizes, variant, window: 1000 }), near);
    const twice = leapFlops({ ...sizes, variant, T: 2048, window: 4 });
    assert.deepEqual(twice, { forward: 2 * near.forward, backward: 2 * near.backward });
    const global = leapFlops({ ...sizes, variant, window: 1024 });
    assert.ok(global.forward < near.forward && global.backward < near.backward);
  }
});

Deno.test("leapFlops() counts the operations of one head of one token", () => {
  const two = { B: 1, T: 1, H: 1, d: 2, window: 1 } as const;
  // Per channel: logit 2, sums of e v and e k 4, divisions 2, gate 3.
  assert.equal(leapFlops({ ...two, variant: "1.0" }).forward, 2 * 11);
  assert.equal(leapFlops({ ...two, variant: "1.0.1", rescale: null }).forward, 2 * 11);
  // And four norms of 5.
  assert.equal(leapFlops({ ...two, variant: "1.0.1" }).forward, 2 * 31);
  // Two norms with the product 12, sum of e v 2, division 1, gate 3.
  assert.equal(leapFlops({ ...two, variant: "2022-08" }).forward, 2 * 18);
});
