import assert from "node:assert/strict";
import { leapFlops } from "../../../attention/leap/mod.ts";

const sizes = { B: 1, T: 1024, H: 4, d: 32 } as const;

Deno.test("leapFlops() is linear in T and the same for every window inside it", () => {
  for (const variant of ["2022-08", "1.0"] as const) {
    const near = leapFlops({ ...sizes, variant, window: 4 });
    assert.deepEqual(leapFlops({ ...sizes, variant, window: 1000 }), near);
    const twice = leapFlops({ ...sizes, variant, T: 2048, window: 4 });
    assert.deepEqual(twice, { forward: 2 * near.forward, backward: 2 * near.backward });
    const global = leapFlops({ ...sizes, variant, window: 1024 });
    assert.ok(global.forward < near.forward && global.backward < near.backward);
  }
});

Deno.test("leapFlops() counts the operations of one head of one token", () => {
  const one = { B: 1, T: 1, H: 1, d: 1, window: 1 } as const;
  // Logit 2, sums of e v and e k 4, divisions 2, gate 3.
  assert.equal(leapFlops({ ...one, variant: "1.0" }).forward, 11);
  // Two norms with the product 12, sum of e v 2, division 1, gate 3.
  assert.equal(leapFlops({ ...one, variant: "2022-08" }).forward, 18);
});
