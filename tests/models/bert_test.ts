import assert from "node:assert/strict";
import {
  Bert,
  type BertConfig,
  bertConfigFromJson,
  ConfigError,
  loadBertWeights,
} from "../../models/mod.ts";
import { readSafetensors, writeSafetensors } from "../../train/mod.ts";
import { assertClose } from "../_helpers/assert_close.ts";
import { golden, type GoldenTensor } from "../_helpers/golden.ts";
import { gpu, gpuTest } from "../_helpers/gpu.ts";

interface BertCase {
  config: Record<string, unknown>;
  ids: GoldenTensor;
  mask: GoldenTensor;
  types: GoldenTensor;
  labels: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  logits: GoldenTensor;
  loss: number;
  gradient_norm: number;
  attentions: GoldenTensor[];
  masked_weights: Record<string, GoldenTensor>;
  masked_logits: GoldenTensor;
  masked_loss: number;
}

const file = golden<{ bert: BertCase; distilbert: BertCase }>("bert");
const KINDS = ["bert", "distilbert"] as const;

const ints = ({ data, shape }: GoldenTensor) => gpu.tensor(Int32Array.from(data), shape);

/** Inputs as tensors; token types where the model has them. */
function inputs(kind: typeof KINDS[number]) {
  const { ids, mask, types } = file[kind];
  return {
    ids: ints(ids),
    options: { keyMask: ints(mask), ...(kind === "bert" ? { tokenTypes: ints(types) } : {}) },
  };
}

/** The golden weights as a safetensors file, in the published key layout. */
function safetensors(weights: Record<string, GoldenTensor>, rename = (key: string) => key) {
  return readSafetensors(writeSafetensors(
    new Map(
      Object.entries(weights).map(([key, { shape, data }]) => [
        rename(key),
        { shape, data: Float32Array.from(data) },
      ]),
    ),
  )).tensors;
}

function load(
  kind: typeof KINDS[number],
  extra: Partial<BertConfig>,
  weights: Record<string, GoldenTensor>,
  rename?: (key: string) => string,
) {
  const config = { ...bertConfigFromJson(file[kind].config), dropout: 0, ...extra };
  const model = new Bert(gpu, config, 1);
  const report = loadBertWeights(model, safetensors(weights, rename));
  return { model, report };
}

for (const kind of KINDS) {
  for (const attention of ["fused", "naive"] as const) {
    gpuTest(
      `Bert (${kind}, ${attention}) gives the logits, loss and gradient norm of transformers`,
      async () => {
        const want = file[kind];
        const { model, report } = load(kind, { classes: 3, attention }, want.weights);
        assert.equal(report.layout, kind);
        assert.deepEqual([report.missing, report.unused], [[], []]);
        const { ids, options } = inputs(kind);
        const logits = await gpu.scope(() => gpu.readFloats(model.classLogits(ids, options)));
        assertClose("logits", logits, want.logits.data, { relative: 1e-5 });
        const loss = gpu.scope(() =>
          gpu.withTape((tape) => {
            const loss = model.classificationLoss(ids, ints(want.labels), options);
            const later = gpu.readLater(loss).value;
            tape.backward(loss);
            return later;
          })
        );
        gpu.submit();
        assertClose("loss", [(await loss)[0]], [want.loss]);
        let squares = 0;
        for (const parameter of model.parameters) {
          for (const g of await gpu.readFloats(parameter.gradient)) squares += g * g;
        }
        assertClose("gradient norm", [Math.sqrt(squares)], [want.gradient_norm], {
          relative: 3e-5,
        });
        model.dispose();
      },
    );
  }

  gpuTest(
    `Bert (${kind}) gives the masked-language-model logits and loss of transformers`,
    async () => {
      const want = file[kind];
      const { model, report } = load(kind, { maskedHead: true }, want.masked_weights);
      assert.deepEqual(report.missing, []);
      const { ids, options } = inputs(kind);
      const logits = await gpu.scope(() => gpu.readFloats(model.maskedLogits(ids, options)));
      assertClose("masked logits", logits, want.masked_logits.data, { relative: 1e-5 });
      const [T, data] = [want.ids.shape[1], want.ids.data];
      const places = [3, T + 2];
      const loss = await gpu.scope(() =>
        gpu.readFloats(model.maskedLoss(
          ids,
          gpu.tensor(Int32Array.from(places), [2]),
          gpu.tensor(Int32Array.from(places, (p) => data[p]), [2]),
          options,
        ))
      );
      assertClose("masked loss", loss, [want.masked_loss]);
      model.dispose();
    },
  );

  gpuTest(
    `Bert.forEachAttentionMap() (${kind}) gives the maps of transformers, layer by layer`,
    async () => {
      const want = file[kind];
      const { model } = load(kind, {}, want.weights);
      const { ids, options } = inputs(kind);
      const maps: Promise<ArrayLike<number>>[] = [];
      model.forEachAttentionMap(ids, (layer, probabilities) => {
        assert.equal(layer, maps.length);
        maps.push(gpu.readLater(probabilities).value);
      }, options);
      gpu.submit();
      assert.equal(maps.length, want.attentions.length);
      for (const [i, map] of maps.entries()) {
        assertClose(`map ${i}`, await map, want.attentions[i].data, { relative: 1e-5 });
      }
      model.dispose();
    },
  );

  gpuTest(
    `Bert.attentionScores() (${kind}) equals the sums over the maps of transformers`,
    async () => {
      const want = file[kind];
      const { model } = load(kind, {}, want.weights);
      const { ids, options } = inputs(kind);
      for (const scoring of ["row-column", "received"] as const) {
        for (const layers of [undefined, { first: 1 }, { last: 1 }] as const) {
          const got = await gpu.scope(() =>
            gpu.readFloats(model.attentionScores(ids, { ...options, scoring, layers }))
          );
          const used = !layers ? [0, 1] : "first" in layers ? [0] : [1];
          assertClose(
            `${scoring} ${JSON.stringify(layers)}`,
            got,
            scoresOf(used.map((i) => want.attentions[i]), want.mask, scoring),
            { relative: 1e-5 },
          );
        }
      }
      model.dispose();
    },
  );
}

/** Scores by loops over whole maps, as the specification writes them. */
function scoresOf(maps: GoldenTensor[], mask: GoldenTensor, scoring: string): number[] {
  const [B, H, T] = maps[0].shape;
  const scores = new Array<number>(B * T).fill(0);
  for (const { data } of maps) {
    for (let b = 0; b < B; b++) {
      const real = Array.from({ length: T }, (_, i) => i).filter((i) => mask.data[b * T + i]);
      for (let h = 0; h < H; h++) {
        const at = (i: number, j: number) => data[((b * H + h) * T + i) * T + j];
        for (const j of real) {
          const column = real.reduce((sum, i) => sum + at(i, j), 0);
          const row = real.reduce((sum, i) => sum + at(j, i), 0);
          const value = scoring === "received" ? column : row + column - at(j, j);
          scores[b * T + j] += value / real.length / H / maps.length;
        }
      }
    }
  }
  return scores;
}

gpuTest("loadBertWeights() accepts keys without prefix and the older norm names", async () => {
  const want = file.bert;
  const rename = (key: string) =>
    key.replace(/^bert\./, "").replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(
      /LayerNorm\.bias$/,
      "LayerNorm.beta",
    );
  const { model } = load("bert", { classes: 3 }, want.weights, rename);
  const { ids, options } = inputs("bert");
  const logits = await gpu.scope(() => gpu.readFloats(model.classLogits(ids, options)));
  assertClose("logits", logits, want.logits.data, { relative: 1e-5 });
  model.dispose();
});

gpuTest("loadBertWeights() names missing heads and refuses a damaged encoder", () => {
  const { weights } = file.bert;
  const { "classifier.weight": _, ...headless } = weights;
  const { model, report } = load("bert", { classes: 3 }, headless);
  assert.deepEqual(report.missing, ["classifier.weight"]);
  const key = "bert.encoder.layer.1.attention.self.key.weight";
  const { [key]: gone, ...rest } = weights;
  assert.throws(() => loadBertWeights(model, safetensors(rest)), ConfigError);
  const wrong = { ...weights, [key]: { shape: [8, 32], data: gone.data } };
  assert.throws(() => loadBertWeights(model, safetensors(wrong)), /\[8,32\]/);
  model.dispose();
});

Deno.test("bertConfigFromJson() refuses what the encoder does not implement", () => {
  assert.throws(() => bertConfigFromJson({ model_type: "gpt2" }), /model_type is gpt2/);
  assert.throws(
    () => bertConfigFromJson({ ...file.bert.config, hidden_act: "silu" }),
    /activation is silu/,
  );
  assert.throws(
    () => bertConfigFromJson({ ...file.bert.config, hidden_size: undefined }),
    /hidden_size is undefined/,
  );
});

gpuTest("Bert refuses inputs it has no table for", () => {
  const model = new Bert(
    gpu,
    { vocabSize: 9, positions: 4, width: 8, heads: 2, layers: 1, tokenTypes: 0 },
    1,
  );
  const ids = gpu.tensor(new Int32Array(5), [1, 5]);
  assert.throws(() => model.hidden(ids), /5 tokens and the position table 4/);
  const short = gpu.tensor(new Int32Array(2), [1, 2]);
  assert.throws(() => model.hidden(short, { tokenTypes: short }), /token types/);
  assert.throws(() => model.classLogits(short), /without classes/);
  assert.throws(() => model.attentionScores(short, { layers: { first: 2 } }), /expected 1 to 1/);
  model.dispose();
});
