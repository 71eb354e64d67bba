import assert from "node:assert/strict";
import { Gpt2 } from "../../models/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";
import { checkGradients, type GoldenGradient } from "./golden_gradients.ts";

interface Gpt2Golden {
  config: {
    vocab_size: number;
    n_positions: number;
    n_embd: number;
    n_layer: number;
    n_head: number;
  };
  weights: Record<string, GoldenTensor>;
  ids: GoldenTensor;
  logits: GoldenTensor;
  loss: number;
  gradient_norm: number;
  gradients: Record<string, GoldenGradient>;
  generation: {
    prompt_length: number;
    new_tokens: number;
    tokens: GoldenTensor;
    step_logits: GoldenTensor;
  };
}

const PREFIX = "transformer.";

function load(attention: "fused" | "naive"): { model: Gpt2; file: Gpt2Golden } {
  const file = golden<Gpt2Golden>("gpt2");
  const { vocab_size, n_positions, n_embd, n_layer, n_head } = file.config;
  const sizes = {
    vocabSize: vocab_size,
    positions: n_positions,
    width: n_embd,
    layers: n_layer,
    heads: n_head,
  };
  const model = new Gpt2(gpu, { ...sizes, attention }, 1);
  for (const parameter of model.parameters) {
    const stored = file.weights[PREFIX + parameter.name];
    assert.deepEqual([...parameter.shape], stored.shape, parameter.name);
    gpu.upload(parameter, Float32Array.from(stored.data));
  }
  return { model, file };
}

/** Next-token targets of ids [B, T], -1 in the last column. */
function shifted({ shape: [B, T], data }: GoldenTensor): Int32Array {
  return Int32Array.from({ length: B * T }, (_, i) => (i + 1) % T === 0 ? -1 : data[i + 1]);
}

for (const attention of ["fused", "naive"] as const) {
  gpuTest(
    `Gpt2 with ${attention} attention gives the logits, loss and gradients of transformers`,
    async () => {
      const { model, file } = load(attention);
      const ids = gpu.tensor(Int32Array.from(file.ids.data), file.ids.shape);
      const targets = gpu.tensor(shifted(file.ids), file.ids.shape);
      const logits = await gpu.scope(() => gpu.readFloats(model.logits(ids)));
      assertClose("logits", logits, file.logits.data, { relative: 1e-5 });
      const loss = gpu.scope(() =>
        gpu.withTape((tape) => {
          const loss = model.loss(ids, targets);
          const later = gpu.readLater(loss);
          tape.backward(loss);
          return later.value;
        })
      );
      gpu.submit();
      assertClose("loss", [(await loss)[0]], [file.loss]);
      await checkGradients(
        model.parameters,
        file.gradients,
        file.gradient_norm,
        (name) => PREFIX + name,
      );
      const tokenLosses = await gpu.scope(() => gpu.readFloats(model.tokenLosses(ids, targets)));
      const counted = shifted(file.ids).filter((t) => t >= 0).length;
      assertClose("mean of tokenLosses", [tokenLosses.reduce((a, b) => a + b) / counted], [
        file.loss,
      ]);
      model.dispose();
    },
  );
}

gpuTest("Gpt2Decoder generates the tokens and logits of transformers with its cache", async () => {
  const { model, file } = load("fused");
  const { prompt_length, new_tokens, tokens, step_logits } = file.generation;
  const [B, total] = tokens.shape;
  const V = model.vocabSize;
  const decoder = model.decoder(B);
  const produced: number[][] = [];
  for (let t = 0; t < total - 1; t++) {
    const column = Int32Array.from({ length: B }, (_, b) => tokens.data[b * total + t]);
    const logits = await gpu.scope(() => gpu.readFloats(decoder.step(gpu.tensor(column, [B]))));
    if (t < prompt_length - 1) continue;
    const step = t - prompt_length + 1;
    for (let b = 0; b < B; b++) {
      const row = logits.subarray(b * V, (b + 1) * V);
      const start = (b * new_tokens + step) * V;
      assertClose(`logits of step ${step}`, row, step_logits.data.slice(start, start + V), {
        relative: 1e-5,
      });
      (produced[b] ??= []).push(row.indexOf(Math.max(...row)));
    }
  }
  for (let b = 0; b < B; b++) {
    assert.deepEqual(produced[b], tokens.data.slice(b * total + prompt_length, (b + 1) * total));
  }
  decoder.dispose();
  model.dispose();
});

gpuTest("Gpt2 refuses configurations and sequences that do not fit", () => {
  const sizes = { vocabSize: 8, positions: 4, width: 6, heads: 2, layers: 1 };
  assert.throws(() => new Gpt2(gpu, { ...sizes, heads: 4 }, 1), /width is 6 and heads is 4/);
  assert.throws(() => new Gpt2(gpu, { ...sizes, layers: 0 }, 1), /layers is 0/);
  assert.throws(() => new Gpt2(gpu, { ...sizes, dropout: 1 }, 1), /dropout is 1/);
  const model = new Gpt2(gpu, sizes, 1);
  assert.throws(
    () => model.logits(gpu.tensor(new Int32Array(5), [1, 5])),
    /5 tokens and the position table 4 rows/,
  );
  model.dispose();
});
