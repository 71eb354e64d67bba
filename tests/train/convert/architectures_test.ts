import assert from "node:assert/strict";
import {
  ARCHITECTURE_TYPES,
  architectureOfType,
  autoMap,
  ConversionError,
  convertCheckpoint,
  lsgClass,
} from "../../../train/convert/mod.ts";
import { GOLDEN_OPTIONS, goldenArchitecture, goldenSource } from "./_lsg_golden.ts";

Deno.test("architectureOfType() knows the eleven types and names them for others", () => {
  assert.equal(ARCHITECTURE_TYPES.length, 11);
  assert.throws(() => architectureOfType("berrt"), (error: ConversionError) => {
    assert.match(error.message, /^Cannot convert: model_type is "berrt", expected one that has/);
    assert.deepEqual(error.choice, { given: "berrt", known: ARCHITECTURE_TYPES });
    return true;
  });
});

Deno.test("lsgClass() takes the first name given, with or without LSG in front", () => {
  const bert = architectureOfType("bert");
  assert.equal(lsgClass(bert, [undefined, undefined]), "LSGBertForPreTraining");
  assert.equal(lsgClass(bert, ["BertForMaskedLM", "BertModel"]), "LSGBertForMaskedLM");
  assert.equal(lsgClass(bert, [undefined, "LSGBertModel"]), "LSGBertModel");
  assert.equal(lsgClass(bert, ["BertLMHeadModel"]), "LSGBertLMHeadModel");
  assert.throws(
    () => lsgClass(bert, ["BertForMaskLM"]),
    (error: ConversionError) => error.choice?.known.includes("BertForMaskedLM") === true,
  );
  // Heads that only other types have.
  for (
    const [type, name] of [["albert", "AlbertForCausalLM"], [
      "pegasus",
      "PegasusForQuestionAnswering",
    ]]
  ) {
    assert.throws(() => lsgClass(architectureOfType(type), [name]), ConversionError);
  }
});

Deno.test("autoMap() names the published module of the type", () => {
  const { AutoConfig, AutoModelForMaskedLM } = autoMap(architectureOfType("xlm-roberta"));
  assert.equal(AutoConfig, "modeling_lsg_xlm_roberta.LSGXLMRobertaConfig");
  assert.equal(AutoModelForMaskedLM, "modeling_lsg_xlm_roberta.LSGXLMRobertaForMaskedLM");
});

Deno.test("convertCheckpoint() takes mBART for BARThez where asked, and no other type for another", async () => {
  const source = goldenSource(goldenArchitecture("mbart"));
  const { config } = await convertCheckpoint(source, { ...GOLDEN_OPTIONS, modelType: "barthez" });
  assert.equal(
    (config.auto_map as Record<string, string>).AutoModel,
    "modeling_lsg_barthez.LSGMBartModel",
  );
  await assert.rejects(
    convertCheckpoint(source, { ...GOLDEN_OPTIONS, modelType: "bart" }),
    /--model-type is bart and model_type in config.json is mbart/,
  );
});
