import assert from "node:assert/strict";
import type { LeapVariant } from "../../attention/mod.ts";
import { Leap, leapWindows } from "../../models/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";
import { checkGradients, type GoldenGradient } from "./golden_gradients.ts";

interface LeapCase {
  config: {
    variant: LeapVariant;
    hidden_size: number;
    vocab_size: number;
    n_positions: number;
    n_layer: number;
    n_heads: number;
    window_sizes: number[];
    window_sizes_given: boolean;
    rescale_value: number | null;
  };
  weights: Record<string, GoldenTensor>;
  ids: GoldenTensor;
  attention_mask?: GoldenTensor;
  logits: GoldenTensor;
  loss: number;
  gradient_norm: number;
  gradients: Record<string, GoldenGradient>;
}

function load({ config, weights }: LeapCase, form: "fused" | "naive"): Leap {
  const model = new Leap(gpu, {
    variant: config.variant,
    vocabSize: config.vocab_size,
    positions: config.n_positions,
    width: config.hidden_size,
    heads: config.n_heads,
    layers: config.n_layer,
    windows: config.window_sizes_given ? config.window_sizes : undefined,
    rescale: config.rescale_value,
    form,
  }, 1);
  assert.deepEqual([...model.config.windows], config.window_sizes);
  for (const parameter of model.parameters) {
    assert.deepEqual([...parameter.shape], weights[parameter.name].shape, parameter.name);
    gpu.upload(parameter, Float32Array.from(weights[parameter.name].data));
  }
  return model;
}

/** Next-token targets, -1 in the last column and where the target is padding. */
function shifted(ids: GoldenTensor, mask: GoldenTensor | undefined): Int32Array {
  const [B, T] = ids.shape;
  return Int32Array.from(
    { length: B * T },
    (_, i) => (i + 1) % T === 0 || mask?.data[i + 1] === 0 ? -1 : ids.data[i + 1],
  );
}

for (const file of ["leap_2022_08", "leap_1_0_spec", "leap_1_0"]) {
  const { cases } = golden<{ cases: Record<string, LeapCase> }>(file);
  for (const [name, item] of Object.entries(cases)) {
    for (const form of ["fused", "naive"] as const) {
      gpuTest(
        `Leap ${form} gives the reference's logits, loss and gradients: ${file} ${name}`,
        async () => {
          const model = load(item, form);
          const { ids, attention_mask: mask } = item;
          const tokens = gpu.tensor(Int32Array.from(ids.data), ids.shape);
          const targets = gpu.tensor(shifted(ids, mask), ids.shape);
          const options = { keyMask: mask && gpu.tensor(Int32Array.from(mask.data), mask.shape) };
          const logits = await gpu.scope(() => gpu.readFloats(model.logits(tokens, options)));
          assertClose("logits", logits, item.logits.data, { relative: 2e-5 });
          const loss = gpu.scope(() =>
            gpu.withTape((tape) => {
              const loss = model.loss(tokens, targets, options);
              const later = gpu.readLater(loss);
              tape.backward(loss);
              return later.value;
            })
          );
          gpu.submit();
          assertClose("loss", [(await loss)[0]], [item.loss]);
          await checkGradients(model.parameters, item.gradients, item.gradient_norm);
          model.dispose();
        },
      );
    }
  }
}

for (
  const { variant, rescale } of [
    { variant: "2022-08" },
    { variant: "1.0" },
    { variant: "1.0.1" },
    { variant: "1.0.1", rescale: null },
  ] as { variant: LeapVariant; rescale?: null }[]
) {
  const label = rescale === null ? `${variant} without rescale` : variant;
  gpuTest(`LeapDecoder of ${label} gives the logits of the parallel form`, async () => {
    const sizes = {
      vocabSize: 29,
      positions: 24,
      width: 16,
      heads: 2,
      layers: 3,
      windows: [3, 24, 7],
    };
    const model = new Leap(gpu, { ...sizes, variant, rescale, initializerRange: 0.2 }, 3);
    const [B, T] = [2, 21];
    const host = Int32Array.from({ length: B * T }, (_, i) => (i * 7 + 3) % sizes.vocabSize);
    const want = await gpu.scope(() => gpu.readFloats(model.logits(gpu.tensor(host, [B, T]))));
    const decoder = model.decoder(B);
    const bytes = decoder.stateBytes;
    // Twice: `reset` must forget everything.
    for (let round = 0; round < 2; round++) {
      for (let t = 0; t < T; t++) {
        const column = Int32Array.from({ length: B }, (_, b) => host[b * T + t]);
        const got = await gpu.scope(() => gpu.readFloats(decoder.step(gpu.tensor(column, [B]))));
        for (let b = 0; b < B; b++) {
          const start = (b * T + t) * sizes.vocabSize;
          assertClose(
            `token ${t}`,
            got.subarray(b * 29, b * 29 + 29),
            want.subarray(start, start + 29),
            { relative: 1e-4 },
          );
        }
      }
      assert.equal(decoder.stateBytes, bytes, "the state does not grow");
      decoder.reset();
    }
    decoder.dispose();
    model.dispose();
  });
}

Deno.test("leapWindows() gives the defaults of each revision and refuses wrong lists", () => {
  const base = { layers: 5, positions: 512, localAttention: true };
  assert.deepEqual(leapWindows({ ...base, variant: "2022-08" }), [4, 8, 16, 32, 512]);
  assert.deepEqual(leapWindows({ ...base, variant: "1.0" }), [512, 4, 8, 16, 512]);
  assert.deepEqual(leapWindows({ ...base, variant: "1.0.1" }), [512, 4, 8, 16, 512]);
  assert.deepEqual(leapWindows({ ...base, variant: "1.0", localAttention: false }), [
    512,
    512,
    512,
    512,
    512,
  ]);
  assert.throws(
    () => leapWindows({ ...base, variant: "1.0", localAttention: false, windows: [1, 2, 3, 4, 5] }),
    /localAttention/,
  );
  assert.throws(
    () => leapWindows({ ...base, variant: "1.0", windows: [4, 8] }),
    /2 entries \[4,8\], expected one for each of 5/,
  );
  assert.throws(
    () => leapWindows({ ...base, variant: "1.0", windows: [4, 8, 0, 1, 2] }),
    /a window is 0/,
  );
});
