import { fusedAttention } from "../../attention/mod.ts";
import {
  cumsum,
  type Gpu,
  layerNorm,
  linearCrossEntropy,
  matmul,
  softmax,
  type Tensor,
} from "../../engine/mod.ts";
import { Gpt2 } from "../../models/mod.ts";
import { AdamW } from "../../train/mod.ts";
import type { CaseOutputs, LibraryAdapter, PreparedCase, PrepareOptions } from "./adapter.ts";
import type { AttentionCase, CrossEntropyCase, Gpt2Case, PeerCase } from "./cases.ts";
import { inferenceCase } from "./inference.ts";
import { TRAINING } from "./gpt2_weights.ts";
import { type CaseInputs, TRAINING_BATCHES, trainingBatch } from "./inputs.ts";

/** Results as tensors, by name. */
type TensorRecord = Record<string, Tensor>;

/** Our engine behind the interface of the peers. It brings no package: `version` is the suite's commit, recorded elsewhere. */
export function openOurs(gpu: Gpu): LibraryAdapter {
  return {
    name: "ours",
    package: "attention-bench",
    version: "this commit",
    backend: "webgpu",
    device: gpu.device,
    prepare: (spec, inputs, options) => Promise.resolve(prepare(gpu, spec, inputs, options)),
  };
}

function prepare(
  gpu: Gpu,
  spec: PeerCase,
  inputs: CaseInputs,
  options: PrepareOptions,
): PreparedCase {
  const resident: Tensor[] = [];
  const upload = (name: string, shape: readonly number[]) => {
    const tensor = gpu.tensor(inputs[name], shape).keep();
    resident.push(tensor);
    return tensor;
  };
  switch (spec.operation) {
    case "matmul": {
      const { batch, m, k, n } = spec;
      const lead = batch > 1 ? [batch] : [];
      const a = upload("a", [...lead, m, k]);
      const b = upload("b", [...lead, k, n]);
      return plainCase(gpu, resident, () => ({ product: matmul(a, b) }));
    }
    case "attention":
      return attentionCase(gpu, resident, spec, upload);
    case "prefix-sum": {
      const x = upload("x", [1, spec.length, spec.width]);
      return plainCase(gpu, resident, () => ({ sums: cumsum(x, 1) }));
    }
    case "layer-norm": {
      const x = upload("x", [spec.rows, spec.width]);
      const gain = upload("gain", [spec.width]);
      const offset = upload("offset", [spec.width]);
      return plainCase(gpu, resident, () => ({ normalized: layerNorm(x, gain, offset) }));
    }
    case "softmax": {
      const x = upload("x", [spec.rows, spec.width]);
      return plainCase(gpu, resident, () => ({ probabilities: softmax(x) }));
    }
    case "cross-entropy":
      return crossEntropyCase(gpu, resident, spec, upload);
    case "gpt2-inference":
      return inferenceCase(gpu, spec, inputs, options.seed);
    case "gpt2-step":
      return trainingCase(gpu, resident, spec, inputs, options);
  }
}

type Upload = (name: string, shape: readonly number[]) => Tensor;

function attentionCase(
  gpu: Gpu,
  resident: Tensor[],
  { heads, headDim, length, causal, phase }: AttentionCase,
  upload: Upload,
): PreparedCase {
  const shape = [1, length, heads, headDim];
  const [q, k, v, gradient] = ["q", "k", "v", "gradient"].map((name) => upload(name, shape));
  const forward = () => fusedAttention({ q, k, v }, { causal });
  if (phase === "forward") return plainCase(gpu, resident, () => ({ output: forward() }));
  return plainCase(
    gpu,
    resident,
    () => withGradients(gpu, { dq: q, dk: k, dv: v }, () => ({ output: forward() }), gradient),
  );
}

function crossEntropyCase(
  gpu: Gpu,
  resident: Tensor[],
  { rows, width, vocabulary, phase }: CrossEntropyCase,
  upload: Upload,
): PreparedCase {
  const hidden = upload("hidden", [rows, width]);
  const table = upload("table", [vocabulary, width]);
  const targets = upload("targets", [rows]);
  const forward = () => ({ loss: linearCrossEntropy(hidden, table, targets) });
  return plainCase(
    gpu,
    resident,
    phase === "forward"
      ? forward
      : () => withGradients(gpu, { dHidden: hidden, dTable: table }, forward),
  );
}

/** Runs `forward` on a tape and adds the gradients of `inputs` to its single result. */
function withGradients(
  gpu: Gpu,
  inputs: TensorRecord,
  forward: () => TensorRecord,
  upstream?: Tensor,
): TensorRecord {
  const names = Object.keys(inputs);
  return gpu.withTape((tape) => {
    for (const name of names) inputs[name].requiresGrad = true;
    try {
      const outputs = forward();
      const [output] = Object.values(outputs);
      const gradients = tape.backward(output, upstream, names.map((name) => inputs[name]));
      // Every input takes part in every case, so a gradient that is missing would be a fault of the engine.
      return { ...outputs, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]!])) };
    } finally {
      for (const name of names) inputs[name].requiresGrad = false;
    }
  });
}

function plainCase(gpu: Gpu, resident: readonly Tensor[], body: () => TensorRecord): PreparedCase {
  return {
    notes: [],
    run: () => gpu.scope(() => void body()),
    finish: () => gpu.idle(),
    async outputs() {
      const results = gpu.scope(body);
      const outputs: Record<string, Float32Array> = {};
      for (const [name, tensor] of Object.entries(results)) {
        outputs[name] = await gpu.readFloats(tensor);
        tensor.dispose();
      }
      return outputs;
    },
    dispose: () => resident.forEach((tensor) => tensor.dispose()),
  };
}

function trainingCase(
  gpu: Gpu,
  resident: Tensor[],
  spec: Gpt2Case,
  inputs: CaseInputs,
  { seed, lossSteps }: PrepareOptions,
): PreparedCase {
  const { batch, length, width, heads, layers, vocabulary: vocabSize } = spec;
  const model = new Gpt2(gpu, { vocabSize, positions: length, width, heads, layers }, seed);
  const optimizer = new AdamW(model.parameters, TRAINING);
  const batches = (name: string) =>
    Array.from({ length: TRAINING_BATCHES }, (_, step) => {
      const data = trainingBatch(spec, inputs[name] as Int32Array, step);
      const tensor = gpu.tensor(data, [batch, length]).keep();
      resident.push(tensor);
      return tensor;
    });
  const ids = batches("ids");
  const targets = batches("targets");
  let step = 0;
  /** One optimizer step; the loss stays on the GPU unless `watch` takes it. */
  const train = (watch?: (loss: Tensor) => void) => {
    const at = step++ % TRAINING_BATCHES;
    gpu.scope(() => {
      gpu.withTape((tape) => {
        const loss = model.loss(ids[at], targets[at]);
        watch?.(loss);
        tape.backward(loss);
      });
      optimizer.step(TRAINING.learningRate);
    });
    gpu.submit();
  };
  return {
    notes: [],
    run: () => train(),
    finish: () => gpu.idle(),
    async outputs(): Promise<CaseOutputs> {
      const losses = new Float32Array(lossSteps);
      for (let i = 0; i < lossSteps; i++) {
        let value: Promise<ArrayLike<number>> | undefined;
        train((loss) => value = gpu.readLater(loss).value);
        losses[i] = (await value!)[0];
      }
      return { losses };
    },
    dispose() {
      optimizer.dispose();
      model.dispose();
      resident.forEach((tensor) => tensor.dispose());
    },
  };
}
