import assert from "node:assert/strict";
import { z } from "zod";
import { applyOverrides, knownKeys } from "../../harness/cli/set_overrides.ts";
import { UserError } from "../../harness/user_error.ts";

const schema = z.strictObject({
  corpus: z.string(),
  lengths: z.array(z.int().positive()),
  model: z.strictObject({ width: z.int().positive(), dropout: z.number().min(0).max(1) }),
  note: z.string().optional(),
});
const preset: z.infer<typeof schema> = {
  corpus: "sotu",
  lengths: [128, 256],
  model: { width: 64, dropout: 0.1 },
};

function failure(...assignments: string[]): UserError {
  try {
    applyOverrides(preset, schema, assignments);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted ${assignments}` });
}

Deno.test("applyOverrides() sets nested numbers, arrays and array elements", () => {
  const config = applyOverrides(preset, schema, [
    "model.width=32",
    "lengths=[512,1024]",
    "lengths.1=2048",
  ]);
  assert.deepEqual(config, { ...preset, lengths: [512, 2048], model: { width: 32, dropout: 0.1 } });
});

Deno.test("applyOverrides() leaves the preset untouched", () => {
  applyOverrides(preset, schema, ["model.width=32"]);
  assert.equal(preset.model.width, 64);
});

Deno.test("applyOverrides() reads what is not JSON as text and keeps = in values", () => {
  assert.equal(applyOverrides(preset, schema, ["corpus=moby-dick"]).corpus, "moby-dick");
  assert.equal(applyOverrides(preset, schema, ["corpus=a=b"]).corpus, "a=b");
});

Deno.test("applyOverrides() sets an optional key that the preset leaves out", () => {
  assert.equal(applyOverrides(preset, schema, ["note=hello"]).note, "hello");
});

Deno.test("applyOverrides() lets the last assignment win", () => {
  assert.equal(applyOverrides(preset, schema, ["model.width=1", "model.width=2"]).model.width, 2);
});

Deno.test("applyOverrides() names near keys of an unknown key", () => {
  assert.match(failure("model.widht=32").message, /unknown key; did you mean "model.width"\?/);
  assert.match(failure("lengths.7=1").message, /unknown key/);
});

Deno.test("applyOverrides() names every key where none is near", () => {
  assert.match(failure("zzzzzzzzzzzz=1").message, /there is .*corpus, lengths, model/);
});

Deno.test("applyOverrides() names the assignment whose value the schema refuses", () => {
  const { message } = failure("corpus=x", "model.width=wide");
  assert.match(message, /Cannot use --set model\.width=wide: model\.width: .*expected number/);
  assert.match(failure("model.dropout=2").message, /--set model\.dropout=2/);
});

Deno.test("applyOverrides() refuses an assignment without a key", () => {
  assert.match(failure("width").message, /expected --set key=value/);
  assert.match(failure("=3").message, /expected --set key=value/);
});

Deno.test("applyOverrides() does not reach the prototype", () => {
  assert.match(failure("__proto__.polluted=1").message, /unknown key/);
  assert.match(failure("constructor.name=1").message, /unknown key/);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

Deno.test("knownKeys() lists parents, leaves and optional keys", () => {
  assert.deepEqual(knownKeys(preset, schema), [
    "corpus",
    "lengths",
    "model",
    "model.width",
    "model.dropout",
    "note",
  ]);
});
