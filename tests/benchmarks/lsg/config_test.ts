import assert from "node:assert/strict";
import { benchmark } from "../../../benchmarks/lsg/bench.ts";
import { LONG_TASKS, lsgConfigSchema, variantsOf } from "../../../benchmarks/lsg/config.ts";
import { memoryEstimate } from "../../../benchmarks/lsg/memory_estimate.ts";
import { published } from "../../../benchmarks/lsg/published.ts";
import { fallsBack, parseVariant } from "../../../benchmarks/lsg/variants.ts";
import { prependedGlobals } from "../../../models/encoder_attention.ts";

const { presets } = benchmark;

Deno.test("parseVariant() reads every way of writing a name", () => {
  assert.deepEqual(parseVariant("full").attention(1), "fused");
  assert.deepEqual(parseVariant("full-naive").attention(1), "naive");
  assert.deepEqual(parseVariant("longformer-256").attention(2), {
    ...{ kind: "longformer", form: "fused", window: 256, globals: 2 },
  });
  assert.deepEqual(parseVariant("bigbird-64-3-naive").attention(1), {
    ...{ kind: "bigbird", form: "naive", blockSize: 64, randomBlocks: 3, globals: 1 },
  });
  const lsg = parseVariant("lsg-128-64-block_stride-4").attention(3);
  assert.deepEqual(lsg, {
    ...{ kind: "lsg", form: "fused", globals: 3, blockSize: 128, sparseBlockSize: 64 },
    ...{ sparsityFactor: 4, sparsityType: "block_stride" },
  });
  assert.deepEqual([prependedGlobals(lsg), prependedGlobals("fused")], [3, 0]);
  assert.deepEqual([fallsBack(lsg, 256), fallsBack(lsg, 257), fallsBack("fused", 1)], [
    ...[true, false, false],
  ]);
  const local = parseVariant("lsg-256-0").attention(1);
  assert.ok(typeof local === "object" && local.kind === "lsg" && local.sparsityType === "none");
});

Deno.test("parseVariant() labels what computes all T x T scores as dense-masked", () => {
  const label = (name: string) => parseVariant(name).label;
  assert.deepEqual(["full", "full-naive"].map(label), ["dense", "dense"]);
  assert.equal(label("lsg-16-16-norm-2"), "truly-sparse");
  assert.equal(label("lsg-16-16-norm-2-naive"), "dense-masked");
  assert.equal(label("bigbird-16-1"), "truly-sparse");
});

Deno.test("parseVariant() refuses other names", () => {
  for (const name of ["", "lsg", "lsg-16-16", "lsg-16-16-sorted-2", "longformer", "full-fused"]) {
    assert.throws(() => parseVariant(name), RangeError, name);
  }
});

Deno.test("the configuration refuses what cannot be run", () => {
  const wrong = (change: (config: typeof presets.smoke) => unknown) => {
    const config = structuredClone(presets.smoke);
    change(config);
    return lsgConfigSchema.safeParse(config).success === false;
  };
  assert.ok(!wrong(() => {}));
  assert.ok(wrong((c) => c.step!.variants = ["lsg-16-16-norm-3"]), "3 does not divide 16");
  assert.ok(wrong((c) => c.step!.heads = 3));
  assert.ok(wrong((c) => c.scaling!.encoder!.heads = 3));
  assert.ok(wrong((c) => c.encoder.heads = 3));
  assert.ok(wrong((c) => c.pretraining = null));
  assert.ok(wrong((c) => c.quality!.variants = ["lsg-16-0"]), "no full attention to compare with");
  assert.ok(wrong((c) => c.extrapolation!.variant = "full"));
  assert.ok(wrong((c) => c.scaling!.lengths = [64, 128]), "no fit through two lengths");
});

Deno.test("the plan of every preset audits a variant before it times it, and prepares a unit before it trains", () => {
  for (const config of Object.values(presets)) {
    const plan = benchmark.tasks(config);
    assert.equal(new Set(plan.map(({ id }) => id)).size, plan.length);
    const audited = new Set<string>();
    const prepared = new Set<string>();
    for (const { kind, variants, group } of plan) {
      if (kind === "audit") variants.forEach((name) => audited.add(name));
      if (kind === "step" || kind === "scaling") {
        for (const name of variants) assert.ok(audited.has(name), `${name} is timed unaudited`);
      }
      if (kind === "prepare") prepared.add(group!);
      if (kind === "quality") assert.ok(prepared.has(group!), group);
    }
    for (const name of variantsOf(config)) assert.ok(audited.has(name), name);
    assert.equal(plan.filter(({ kind }) => kind === "step").length, 2);
  }
});

Deno.test("the presets compare every selection type, three seeds and all long tasks", () => {
  for (const { quality, extrapolation } of [presets.small, presets.paper]) {
    assert.ok(quality!.seeds >= 3 && extrapolation!.seeds >= 3);
    assert.deepEqual(quality!.tasks.map(({ name }) => name), [...LONG_TASKS]);
    for (const type of ["norm", "pooling", "lsh", "stride", "block_stride", "bos_pooling"]) {
      assert.ok(quality!.variants.some((name) => name.includes(`-${type}-`)), type);
    }
    assert.equal(extrapolation!.factor, 8);
  }
  const { step } = presets.paper;
  assert.deepEqual([step!.batchSize, step!.length, step!.width, step!.layers], [4, 4096, 768, 12]);
});

Deno.test("every published figure has a row that the paper preset records", () => {
  const { step, scaling } = presets.paper;
  for (const { variant, params } of published) {
    const variants = params!.part === "step" ? step!.variants : scaling!.encoder!.variants;
    assert.ok(variants.includes(variant), variant);
    const lengths = params!.part === "step" ? [step!.length] : scaling!.lengths;
    assert.ok(lengths.includes(Number(params!.T)), `T ${params!.T}`);
  }
});

Deno.test("memoryEstimate() grows with the preset", () => {
  const { smoke, small, paper } = presets;
  assert.ok(memoryEstimate(smoke) < memoryEstimate(small));
  assert.ok(memoryEstimate(paper) > 10 * 2 ** 30);
});
