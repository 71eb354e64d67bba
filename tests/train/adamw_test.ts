import { ParameterSet, values } from "../../engine/mod.ts";
import { AdamW, makeSchedule } from "../../train/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface AdamWGolden {
  config: {
    betas: number[];
    epsilon: number;
    weight_decay: number;
    decayed: string[];
    max_gradient_norm: number;
  };
  initial_parameters: Record<string, GoldenTensor>;
  steps: {
    lr: number;
    gradient_norm_before_clip: number;
    gradients: Record<string, GoldenTensor>;
    parameters: Record<string, GoldenTensor>;
  }[];
  schedules: Record<string, number[]>;
}

gpuTest("AdamW follows torch for twelve steps with decay groups and clipping", async () => {
  const { config, initial_parameters, steps } = golden<AdamWGolden>("adamw");
  const set = new ParameterSet(gpu, 0);
  for (const [name, { shape, data }] of Object.entries(initial_parameters)) {
    set.add(name, shape, values(data), { decay: config.decayed.includes(name) });
  }
  set.allocate();
  const optimizer = new AdamW(set, {
    beta1: config.betas[0],
    beta2: config.betas[1],
    epsilon: config.epsilon,
    weightDecay: config.weight_decay,
    clipNorm: config.max_gradient_norm,
  });
  for (const [i, step] of steps.entries()) {
    gpu.scope(() => {
      for (const [name, { shape, data }] of Object.entries(step.gradients)) {
        // Two halves: accumulation and its averaging are part of the check.
        const g = gpu.tensor(data, shape);
        set.get(name).accumulate(g);
        set.get(name).accumulate(g);
      }
      optimizer.step(step.lr, 0.5);
    });
    assertClose(`norm of step ${i}`, [(await gpu.readFloats(optimizer.control))[1]], [
      step.gradient_norm_before_clip,
    ]);
    for (const [name, { data }] of Object.entries(step.parameters)) {
      assertClose(`${name} after step ${i}`, await gpu.readFloats(set.get(name)), data, {
        relative: 2e-6,
      });
    }
  }
  optimizer.dispose();
  set.dispose();
});

Deno.test("makeSchedule() gives the cosine with warm-up and floor of the golden file", () => {
  const { config, schedules } = golden<AdamWGolden & { config: Record<string, number> }>("adamw");
  const schedule = makeSchedule("cosine", {
    learningRate: config.max_lr,
    minLearningRate: config.min_lr,
    warmupSteps: config.warmup_steps,
    steps: config.total_steps,
  });
  assertClose(
    "cosine",
    schedules.cosine_with_floor.map((_, step) => schedule(step)),
    schedules.cosine_with_floor,
  );
  const linear = makeSchedule("linear", { learningRate: config.max_lr, steps: config.total_steps });
  const expected = schedules.transformers_linear_no_warmup;
  assertClose("linear", expected.map((_, step) => linear(step)), expected);
});
