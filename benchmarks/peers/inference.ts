import type { Gpu, Tensor } from "../../engine/mod.ts";
import { Gpt2 } from "../../models/mod.ts";
import type { PreparedCase } from "./adapter.ts";
import type { InferenceCase } from "./cases.ts";
import type { CaseInputs } from "./inputs.ts";

/** Our GPT-2 at work; the weights are those that `gpt2Weights` draws from the same seed. */
export function inferenceCase(
  gpu: Gpu,
  spec: InferenceCase,
  inputs: CaseInputs,
  seed: number,
): PreparedCase {
  const { length, width, heads, layers, vocabulary: vocabSize } = spec;
  const model = new Gpt2(gpu, { vocabSize, positions: length, width, heads, layers }, seed);
  return spec.phase === "first-token"
    ? firstTokenCase(gpu, model, inputs)
    : decodeCase(gpu, model, inputs);
}

/** One pass over the whole prompt, to the logits of every position. */
function firstTokenCase(gpu: Gpu, model: Gpt2, { ids }: CaseInputs): PreparedCase {
  const prompt = gpu.tensor(ids, [1, ids.length]).keep();
  const forward = () => gpu.withoutTape(() => model.logits(prompt));
  return {
    notes: ["the pass over the prompt fills no cache"],
    run: () => gpu.scope(() => void forward()),
    finish: () => gpu.idle(),
    async outputs() {
      const logits = gpu.scope(forward);
      const values = await gpu.readFloats(logits);
      logits.dispose();
      return { logits: values };
    },
    dispose() {
      prompt.dispose();
      model.dispose();
    },
  };
}

/** Given tokens one after the other; each is sent to the device by itself, as when the next one is chosen from its logits. */
function decodeCase(gpu: Gpu, model: Gpt2, { ids }: CaseInputs): PreparedCase {
  const tokens = Array.from(ids, (id) => gpu.tensor(Int32Array.of(id), [1]).keep());
  const decoder = model.decoder(1);
  const decode = (take: (logits: Tensor) => void) => {
    decoder.reset();
    for (const token of tokens) {
      const logits = decoder.step(token);
      take(logits);
      logits.dispose();
      gpu.submit();
    }
  };
  return {
    notes: [],
    run: () => decode(() => {}),
    finish: () => gpu.idle(),
    async outputs() {
      const reads: Promise<ArrayLike<number>>[] = [];
      decode((logits) => void reads.push(gpu.readLater(logits).value));
      const rows = await Promise.all(reads);
      return { logits: Float32Array.from(rows.flatMap((row) => Array.from(row))) };
    },
    dispose() {
      decoder.dispose();
      model.dispose();
      tokens.forEach((token) => token.dispose());
    },
  };
}
