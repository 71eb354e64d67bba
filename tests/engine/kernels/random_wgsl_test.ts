import assert from "node:assert/strict";
import {
  hash4,
  type Kernel,
  linearGrid,
  linearMain,
  u32,
  uniformAt,
  write,
} from "../../../engine/mod.ts";
import { RANDOM_WGSL } from "../../../engine/kernels/random_wgsl.ts";
import { gpu, gpuTest } from "../../_helpers/gpu.ts";

const COUNT = 1000;
/** Spreads the indices over all 32 bits, the sign bit included. */
const SPREAD = 0x9e3779b1;

function drawKernel(type: "u32" | "f32", value: string, stream: number, seed: number): Kernel {
  return {
    name: "test_random",
    key: value,
    bindings: [write("y", type)],
    uniforms: [u32("count", COUNT), u32("stream", stream), u32("seed", seed)],
    grid: linearGrid(Math.ceil(COUNT / 64)),
    body: () =>
      `${RANDOM_WGSL}
${linearMain(64)}
  if (i < u.count) { y[i] = ${value}; }
}`,
  };
}

for (const [stream, seed] of [[0, 0], [7, 42], [0xdeadbeef, 0xffffffff]]) {
  gpuTest(
    `RANDOM_WGSL gives the bits of random.ts for stream ${stream}, seed ${seed}`,
    async () => {
      const words = gpu.empty([COUNT], "u32");
      for (const [word, name] of ["x", "y", "z", "w"].entries()) {
        const call = `hash4(vec4u(i * ${SPREAD}u, u.stream, u.seed, 5u)).${name}`;
        gpu.run(drawKernel("u32", call, stream, seed), [words]);
        const expected = Uint32Array.from(
          { length: COUNT },
          (_, i) => hash4(Math.imul(i, SPREAD), stream, seed, 5)[word],
        );
        assert.deepEqual(await gpu.read(words), expected);
      }
      const uniforms = gpu.empty([COUNT]);
      gpu.run(drawKernel("f32", "uniform01(i, u.stream, u.seed)", stream, seed), [uniforms]);
      const expected = Float32Array.from({ length: COUNT }, (_, i) => uniformAt(seed, stream, i));
      assert.deepEqual(await gpu.read(uniforms), expected);
    },
  );
}
