import assert from "node:assert/strict";
import {
  auditCausality,
  auditDeterminism,
  auditGradients,
  auditNumerics,
  auditParity,
  makeAudit,
  relativeError,
  type TokensToLogits,
} from "../../../harness/audits/mod.ts";

const [B, T, V] = [2, 12, 11];

/** A causal toy: output at t depends on tokens up to t + `reach` of its own row. */
function model(reach: number): TokensToLogits {
  return (tokens) => {
    const logits = new Float32Array(B * T * V);
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++) {
        for (let v = 0; v < V; v++) {
          let sum = 0;
          for (let s = 0; s <= Math.min(T - 1, t + reach); s++) {
            sum += Math.sin(tokens[b * T + s] * (v + 1) + s);
          }
          logits[(b * T + t) * V + v] = sum;
        }
      }
    }
    return Promise.resolve(logits);
  };
}

const shape = { subject: "toy", batch: B, length: T, vocabulary: V };

Deno.test("auditCausality() passes a causal model and catches both planted leaks", async () => {
  const audit = await auditCausality({ ...shape, forward: model(0) });
  assert.equal(audit.status, "ok");
  assert.deepEqual(audit.canaries, [2, 2]);
  assert.ok(audit.n > B * T * V);
});

Deno.test("auditCausality() is red for a model that sees one token ahead", async () => {
  const audit = await auditCausality({ ...shape, forward: model(1) });
  assert.equal(audit.status, "red");
  assert.ok(audit.statistic! > 0);
});

Deno.test("auditCausality() is red for a leak at a single position", async () => {
  const forward: TokensToLogits = async (tokens) => {
    const logits = Float32Array.from(await model(0)(tokens));
    logits[4 * V] += tokens[5];
    return logits;
  };
  assert.equal((await auditCausality({ ...shape, forward })).status, "red");
});

Deno.test("auditCausality() is red for a leak between rows", async () => {
  const forward: TokensToLogits = async (tokens) => {
    const logits = Float32Array.from(await model(0)(tokens));
    logits[T * V] += tokens[0];
    return logits;
  };
  assert.equal((await auditCausality({ ...shape, forward })).status, "red");
});

Deno.test("auditCausality() has no power over one position and says so", async () => {
  const audit = await auditCausality({ ...shape, batch: 1, forward: model(0), positions: [0] });
  assert.equal(audit.n, 0);
  assert.equal(audit.status, "invalid");
});

Deno.test("auditDeterminism() is ok for equal bits, red for one different bit", async () => {
  const run = () => Promise.resolve(new Float32Array([1, 2, 3, 4]));
  const same = await auditDeterminism({ subject: "toy", run });
  assert.equal(same.status, "ok");
  assert.deepEqual(same.canaries, [1, 1]);
  let count = 0;
  const drifting = () => Promise.resolve(new Float32Array([1, 2 + 1e-6 * count++, 3, 4]));
  const red = await auditDeterminism({ subject: "toy", run: drifting });
  assert.equal(red.status, "red");
  assert.equal(red.statistic, 1);
  const zeros = [new Float32Array([0]), new Float32Array([-0])];
  const signed = await auditDeterminism({
    subject: "toy",
    run: () => Promise.resolve(zeros.pop()!),
  });
  assert.equal(signed.status, "red", "0 and -0 are different bits");
});

Deno.test("auditParity() and auditNumerics() hold, turn red and lose their power", () => {
  const want = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const pair = (error: number) => ({
    name: "output",
    got: want.map((value, i) => value + (i === 30 ? error : 0)),
    want,
  });
  const audit = (error: number, threshold: number) =>
    auditParity({ subject: "fused", pairs: [pair(error)], threshold });
  assert.equal(audit(1e-6, 1e-5).status, "ok");
  assert.deepEqual(audit(1e-6, 1e-5).canaries, [2, 2]);
  assert.equal(audit(1e-3, 1e-5).status, "red");
  assert.equal(audit(NaN, 1e-5).status, "red");
  assert.equal(audit(NaN, 1e-5).statistic, null);
  assert.equal(audit(0, 10).status, "invalid", "a bound this soft would not see a lost value");
  const none = auditNumerics({ subject: "x", pairs: [], threshold: 1 });
  assert.equal(none.status, "invalid");
  assert.match(none.detail, /nothing was compared/);
});

Deno.test("auditGradients() accepts a right gradient and is red for a wrong one", async () => {
  const parameters = Float32Array.from({ length: 40 }, (_, i) => Math.cos(3 * i));
  const loss = (x: Float32Array) =>
    Promise.resolve(x.reduce((sum, value, i) => sum + Math.sin(value) * (1 + i % 3), 0));
  const right = (x: Float32Array) =>
    Promise.resolve(x.map((value, i) => Math.cos(value) * (1 + i % 3)));
  const ok = await auditGradients({ subject: "toy", loss, gradient: right, parameters });
  assert.equal(ok.status, "ok", ok.detail);
  assert.deepEqual(ok.canaries, [2, 2]);
  const scaled = async (x: Float32Array) => (await right(x)).map((value) => value * 1.1);
  const red = await auditGradients({ subject: "toy", loss, gradient: scaled, parameters });
  assert.equal(red.status, "red");
  const none = (x: Float32Array) => Promise.resolve(x.map(() => 0));
  const flat = () => Promise.resolve(1);
  const invalid = await auditGradients({ subject: "toy", loss: flat, gradient: none, parameters });
  assert.equal(invalid.status, "invalid", "a gradient of zeros proves nothing");
});

Deno.test("makeAudit() is invalid without planted faults or with a missed one", () => {
  const facts = {
    id: "x",
    subject: "y",
    evidence: { n: 5, statistic: 0 },
    threshold: 1,
    compared: "things",
  };
  assert.equal(makeAudit({ ...facts, canaries: [] }).status, "invalid");
  const missed = [{ n: 5, statistic: 9 }, { n: 5, statistic: 0.5 }];
  assert.equal(makeAudit({ ...facts, canaries: missed }).status, "invalid");
  assert.equal(makeAudit({ ...facts, canaries: missed.slice(0, 1) }).status, "ok");
});

Deno.test("relativeError() scales by the RMS and treats equal infinities as equal", () => {
  const found = relativeError([3, 4.5], [3, 4]);
  assert.ok(Math.abs(found.statistic - 0.5 / Math.sqrt(12.5)) < 1e-12);
  assert.equal(relativeError([-Infinity, 1], [-Infinity, 1]).statistic, 0);
  assert.ok(Number.isNaN(relativeError([Infinity], [1]).statistic));
  assert.throws(() => relativeError([1], [1, 2]), RangeError);
});
