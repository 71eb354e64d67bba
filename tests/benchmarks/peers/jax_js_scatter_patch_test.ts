import assert from "node:assert/strict";
import { rewriteScatter } from "../../../benchmarks/peers/jax_js_scatter_patch.ts";

const SHADER = `
fn atomic_add_f32(address: ptr<storage, atomic<u32>, read_write>, value: f32) {
  var old_bits = atomicLoad(address);
  loop {
    let result = atomicCompareExchangeWeak(address, old_bits, bitcast<u32>(value));
    if (result.exchanged) { break; }
  }
}
fn main() { atomic_add_f32(&output[output_index], updates[global]); }
`;

Deno.test("rewriteScatter() leaves no storage pointer among the arguments", () => {
  const code = rewriteScatter(SHADER);
  assert.doesNotMatch(code, /ptr<storage/);
  assert.match(code, /fn atomic_add_f32\(place: u32, value: f32\)/);
  assert.match(code, /atomicLoad\(&output\[place\]\)/);
  assert.match(code, /atomicCompareExchangeWeak\(&output\[place\], old_bits/);
  assert.match(code, /atomic_add_f32\(u32\(output_index\), updates\[global\]\)/);
});

Deno.test("rewriteScatter() does not touch other shaders", () => {
  const other = "fn main() { let x = atomicLoad(&output[0]); }";
  assert.equal(rewriteScatter(other), other);
});
