import type { CaseOutputs, PreparedCase, PrepareOptions } from "./adapter.ts";
import type { Gpt2Case } from "./cases.ts";
import { gpt2Weights, TRAINING } from "./gpt2_weights.ts";
import { type CaseInputs, TRAINING_BATCHES, trainingBatch } from "./inputs.ts";
import {
  causalMask,
  finishTfjs,
  type Tf,
  tfAttention,
  tfCrossEntropy,
  tfLayerNorm,
  type TfTensor,
  type TfVariable,
} from "./tfjs.ts";

/** One trained variable with its moments. */
interface Trained {
  readonly value: TfVariable;
  readonly first: TfVariable;
  readonly second: TfVariable;
  readonly decay: boolean;
}

let cases = 0;

/** Training step of the GPT-2 case in TensorFlow.js, which has no AdamW: written with its operations. */
export function tfjsTrainingCase(
  tf: Tf,
  spec: Gpt2Case,
  inputs: CaseInputs,
  { seed, lossSteps }: PrepareOptions,
): PreparedCase {
  // Variables are known to the library by name, for its whole life.
  const prefix = `gpt2-${++cases}`;
  const variable = (
    name: string,
    values: Float32Array,
    shape: readonly number[],
    trains: boolean,
  ) => tf.variable(tf.tensor(values, [...shape], "float32"), trains, `${prefix}/${name}`);
  const trained = new Map<string, Trained>(
    gpt2Weights(spec, seed).map(({ name, shape, decay, values }) => [name, {
      value: variable(name, values, shape, true),
      first: variable(`${name}/first`, new Float32Array(values.length), shape, false),
      second: variable(`${name}/second`, new Float32Array(values.length), shape, false),
      decay,
    }]),
  );
  const batches = (name: string) =>
    Array.from({ length: TRAINING_BATCHES }, (_, step) =>
      tf.tensor(
        trainingBatch(spec, inputs[name] as Int32Array, step).slice(),
        [spec.batch * spec.length],
        "int32",
      ));
  const ids = batches("ids");
  const targets = batches("targets");
  const mask = causalMask(tf, spec.length);
  let steps = 0;
  const train = (): TfTensor => {
    const at = steps++ % TRAINING_BATCHES;
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => gpt2Loss(tf, spec, trained, mask, ids[at], targets[at]),
        [...trained.values()].map((item) => item.value),
      );
      for (const [name, item] of trained) adamw(item, grads[`${prefix}/${name}`], steps);
      return value;
    });
  };
  return {
    notes: ["no AdamW: composed of the library's operations", "no attention operation: composed"],
    run: () => train().dispose(),
    finish: () => finishTfjs(tf),
    async outputs(): Promise<CaseOutputs> {
      const losses = new Float32Array(lossSteps);
      for (let i = 0; i < lossSteps; i++) {
        const loss = train();
        losses[i] = (await loss.data())[0];
        loss.dispose();
      }
      return { losses };
    },
    dispose() {
      for (const item of trained.values()) tf.dispose([item.value, item.first, item.second]);
      tf.dispose([...ids, ...targets, mask]);
    },
  };
}

function adamw({ value, first, second, decay }: Trained, gradient: TfTensor, steps: number): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = TRAINING;
  first.assign(first.mul(beta1).add(gradient.mul(1 - beta1)));
  second.assign(second.mul(beta2).add(gradient.square().mul(1 - beta2)));
  const correction1 = 1 - beta1 ** steps;
  const correction2 = 1 - beta2 ** steps;
  const direction = first.div(correction1).div(second.div(correction2).sqrt().add(epsilon));
  const decayed = decay ? value.mul(1 - learningRate * weightDecay) : value;
  value.assign(decayed.sub(direction.mul(learningRate)));
}

/** Mean next-token cross-entropy of GPT-2: pre-norm blocks, learned positions, tanh GELU, tied head. */
function gpt2Loss(
  tf: Tf,
  { batch: B, length: T, width: D, heads: H, layers, vocabulary }: Gpt2Case,
  trained: ReadonlyMap<string, Trained>,
  mask: TfTensor,
  ids: TfTensor,
  targets: TfTensor,
): TfTensor {
  const weight = (name: string): TfTensor => trained.get(name)!.value;
  const linear = (x: TfTensor, name: string) =>
    tf.matMul(x, weight(`${name}.weight`)).add(weight(`${name}.bias`));
  const norm = (x: TfTensor, name: string) =>
    tfLayerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), TRAINING.normEpsilon);
  const heads = (x: TfTensor) => x.reshape([B, T, H, D / H]).transpose([0, 2, 1, 3]);
  let x = tf.gather(weight("wte.weight"), ids).reshape([B, T, D]).add(weight("wpe.weight"))
    .reshape([B * T, D]);
  for (let i = 0; i < layers; i++) {
    const qkv = linear(norm(x, `h.${i}.ln_1`), `h.${i}.attn.c_attn`);
    const mixed = tfAttention(tf, tf.split(qkv, 3, 1).map(heads), mask);
    const joined = mixed.transpose([0, 2, 1, 3]).reshape([B * T, D]);
    x = x.add(linear(joined, `h.${i}.attn.c_proj`));
    const inner = gelu(linear(norm(x, `h.${i}.ln_2`), `h.${i}.mlp.c_fc`));
    x = x.add(linear(inner, `h.${i}.mlp.c_proj`));
  }
  const logits = tf.matMul(norm(x, "ln_f"), weight("wte.weight"), false, true);
  return tfCrossEntropy(tf, logits, targets, vocabulary);
}

/** GELU in its tanh form. */
function gelu(x: TfTensor): TfTensor {
  const inner = x.square().mul(x).mul(0.044715).add(x).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}
