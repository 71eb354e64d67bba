import type { CaseOutputs, PreparedCase, PrepareOptions } from "./adapter.ts";
import type { Gpt2Case } from "./cases.ts";
import { gpt2Weights, TRAINING } from "./gpt2_weights.ts";
import { type CaseInputs, TRAINING_BATCHES, trainingBatch } from "./inputs.ts";
import { issue, type Jax, type JaxArray, jaxCrossEntropy, TARGET_NOTE } from "./jax_js.ts";
import { SCATTER_NOTE } from "./jax_js_scatter_patch.ts";

/** Arrays by parameter name; jax-js passes such records through its transformations. */
type Arrays = Record<string, JaxArray>;

/** Training step of the GPT-2 case in jax-js: one jitted function of parameters, moments and batch. */
export function jaxTrainingCase(
  jax: Jax,
  device: GPUDevice,
  spec: Gpt2Case,
  inputs: CaseInputs,
  { seed, lossSteps }: PrepareOptions,
): PreparedCase {
  const { numpy: np } = jax;
  const weights = gpt2Weights(spec, seed);
  const decays = new Map(weights.map(({ name, decay }) => [name, decay]));
  const record = (make: (weight: (typeof weights)[number]) => Float32Array): Arrays =>
    Object.fromEntries(
      weights.map((weight) => [weight.name, np.array(make(weight)).reshape([...weight.shape])]),
    );
  let parameters = record(({ values }) => values);
  let first = record(({ values }) => new Float32Array(values.length));
  let second = record(({ values }) => new Float32Array(values.length));
  let count: JaxArray = np.array(new Float32Array([0])).reshape([]);
  const batches = (name: string, shape: number[]) =>
    Array.from(
      { length: TRAINING_BATCHES },
      (_, step) =>
        np.array(trainingBatch(spec, inputs[name] as Int32Array, step).slice()).reshape(shape),
    );
  const ids = batches("ids", [spec.batch, spec.length]);
  const targets = batches("targets", [spec.batch * spec.length]);
  const step = jax.jit((...state: [Arrays, Arrays, Arrays, JaxArray, JaxArray, JaxArray]) =>
    adamwStep(jax, spec, decays, ...state)
  );
  let at = 0;
  const train = (): JaxArray => {
    const batch = at++ % TRAINING_BATCHES;
    let loss: JaxArray;
    [loss, parameters, first, second, count] = step(
      parameters,
      first,
      second,
      count,
      ids[batch].ref,
      targets[batch].ref,
    );
    issue([loss!]);
    return loss!;
  };
  return {
    notes: [SCATTER_NOTE, TARGET_NOTE],
    run: () => train().dispose(),
    finish: () => device.queue.onSubmittedWorkDone(),
    async outputs(): Promise<CaseOutputs> {
      const losses = new Float32Array(lossSteps);
      for (let i = 0; i < lossSteps; i++) losses[i] = (await train().data())[0];
      return { losses };
    },
    dispose() {
      for (const arrays of [parameters, first, second]) {
        Object.values(arrays).forEach((array) => array.dispose());
      }
      [...ids, ...targets, count].forEach((array) => array.dispose());
      step.dispose?.();
    },
  };
}

function adamwStep(
  jax: Jax,
  spec: Gpt2Case,
  decays: ReadonlyMap<string, boolean>,
  parameters: Arrays,
  first: Arrays,
  second: Arrays,
  count: JaxArray,
  ids: JaxArray,
  targets: JaxArray,
): [JaxArray, Arrays, Arrays, Arrays, JaxArray] {
  const { numpy: np } = jax;
  const { learningRate, beta1, beta2, epsilon, weightDecay } = TRAINING;
  const kept = Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.ref]));
  const [loss, gradients] = jax.valueAndGrad(
    (p: Arrays, i: JaxArray, t: JaxArray) => gpt2Loss(jax, spec, p, i, t),
  )(kept, ids, targets) as [JaxArray, Arrays];
  const t = count.add(1);
  /** 1 - beta^t as 1 - exp(t ln beta): the step count is an array, so that one trace serves every step. */
  const correction = (beta: number) => np.exp(t.ref.mul(Math.log(beta))).neg().add(1);
  const correction1 = correction(beta1);
  const correction2 = correction(beta2);
  const next: [Arrays, Arrays, Arrays] = [{}, {}, {}];
  for (const name of Object.keys(parameters)) {
    const gradient = gradients[name];
    const m = first[name].mul(beta1).add(gradient.ref.mul(1 - beta1));
    const v = second[name].mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const direction = m.ref.div(correction1.ref).div(
      np.sqrt(v.ref.div(correction2.ref)).add(epsilon),
    );
    const decayed = parameters[name].mul(1 - (decays.get(name) ? learningRate * weightDecay : 0));
    next[0][name] = decayed.sub(direction.mul(learningRate));
    next[1][name] = m;
    next[2][name] = v;
  }
  correction1.dispose();
  correction2.dispose();
  return [loss, ...next, t];
}

/** Mean next-token cross-entropy of GPT-2: pre-norm blocks, learned positions, tanh GELU, tied head. */
function gpt2Loss(
  jax: Jax,
  { batch: B, length: T, width: D, heads: H, layers, vocabulary }: Gpt2Case,
  parameters: Arrays,
  ids: JaxArray,
  targets: JaxArray,
): JaxArray {
  const { numpy: np, nn } = jax;
  const linear = (x: JaxArray, name: string) =>
    np.matmul(x, parameters[`${name}.weight`]).add(parameters[`${name}.bias`]);
  const norm = (x: JaxArray, name: string) =>
    nn.standardize(x, -1, { epsilon: TRAINING.normEpsilon })
      .mul(parameters[`${name}.weight`]).add(parameters[`${name}.bias`]);
  // No reshape between here and the gather: jit of its gradient rejects views ("scatter input is not imm").
  let x = np.take(parameters["wte.weight"].ref, ids, 0).add(parameters["wpe.weight"]);
  for (let i = 0; i < layers; i++) {
    const qkv = linear(norm(x.ref, `h.${i}.ln_1`), `h.${i}.attn.c_attn`).reshape([
      B,
      T,
      3,
      H,
      D / H,
    ]);
    const part = (n: number) => qkv.ref.slice([], [], [n, n + 1]).reshape([B, T, H, D / H]);
    const mixed = nn.dotProductAttention(part(0), part(1), part(2), { isCausal: true });
    qkv.dispose();
    x = x.add(linear(mixed.reshape([B, T, D]), `h.${i}.attn.c_proj`));
    const inner = nn.gelu(linear(norm(x.ref, `h.${i}.ln_2`), `h.${i}.mlp.c_fc`), {
      approximate: true,
    });
    x = x.add(linear(inner, `h.${i}.mlp.c_proj`));
  }
  const hidden = norm(x, "ln_f").reshape([B * T, D]);
  const logits = np.matmul(hidden, parameters["wte.weight"].transpose());
  return jaxCrossEntropy(jax, logits, targets, vocabulary);
}
