/**
 * Pins the names that `mod.ts` exports: adding or dropping one is a decision, made here and noted in
 * CHANGELOG.md.
 */
import assert from "node:assert/strict";
import * as api from "../mod.ts";
import { gpuTest } from "./_helpers/gpu.ts";

/** Names that exist at run time. */
const VALUES = words(`
  ATTENTION_SCORINGS AdamW Bart Bert BindingTooLargeError CORPUS_NAMES ConfigError ConvAttention
  ConversionError DataChecksumError DataUnavailableError DeviceLostError DivergedError
  DocumentFrequencies Gpt2 Gpu GpuOutOfMemoryError GpuValidationError HubError IGNORED_TARGET
  KeyValueCache LanguageModellingData Leap LeapState NoAdapterError Parameter ParameterSet
  ProgressiveDiverging SCHEDULES SOURCES STAGES SafetensorsError ShapeError StepInputs
  StorageError TOKENIZER_NAMES TRUNCATION_POLICIES Tape Tensor TokenScores UseAfterFreeError abs
  add addScalar affine argmax attentionFlops attentionProbabilities attentionScores
  attentionTunable bartConfigFromJson bertConfigFromJson bitsPerByte budgetForShare
  checkConversion compareResults concat constant conv1d convTranspose1d convertCheckpoint
  crossEntropy cumsum decodeAttention detach div documentFingerprint dropout elu embedding
  evaluate exp exportChoices fetchHubFile findLeaks flip fusedAttention fusedAttentionWithScores
  fusedLeapAttention gather gelu geluTanh generateText greater groupMask growProgressive
  importChoices keptPositions layerNorm leapFlops leapImportance leapStateSize leapWindows
  linearCrossEntropy loadBartWeights loadBertWeights loadCheckpoint log logSoftmax makeSchedule
  matmul matmulProblem matmulTunable max maximum maximumScalar mean minimum minimumScalar mul
  mulScalar naiveAttention naiveAttentionWithProbabilities naiveAttentionWithScores
  naiveLeapAttention neg normal normalAt openCorpus openTokenizer openTokenizerJson overlap pad
  padRows permute perplexity pinChoice pow rankCorrelation readResult readSafetensors reciprocal
  relu renderComparison reshape rmsNorm saveCheckpoint scatterAddRows shiftRight sigmoid silu
  slice softmax sqrt square streamOf sub sum takeRows tanh tokenizeCorpus train trainBytePair
  trainLanguageModel transpose truncate truncateBatch tune uniformAt values where writeSafetensors
`);

/** Names of types alone. */
const TYPES = words(`
  AdamWOptions AdapterInfo ArtifactStore AttentionDropout AttentionFlops AttentionFlopsOptions
  AttentionInput AttentionOptions AttentionScoreOptions AttentionScoring Audit BartConfig
  BartOptions BatchOptions Benchmark BertBuild BertConfig BertLoadReport BertOptions
  BertScoreOptions BigBirdEncoderAttention Binding BindingType BytePairTrainingOptions CacheShape
  CandidateReport Cell CellInput CheckpointState CheckpointStore ClockName Comparison
  Conv1dOptions ConvAttentionConfig Conversion ConversionCheck ConversionOptions ConversionParity
  ConversionSource Corpus CorpusName CorpusSplit CrossEntropyOptions CumsumOptions DType DataStore
  DecodeOptions Decoder Document DocumentScoreOptions DropoutOptions EncodedText EncoderAttention
  Evaluation ForwardOptions FusedAttentionOptions GenerateTextOptions Gpt2Block Gpt2Config
  GpuCounters GpuOptions Grid Host HostArray HostEntry HubContent HubFile HubOptions Initializer
  Kernel LanguageModel LanguageModelTraining LanguageModellingBatch LanguageModellingOptions
  LeapBlock LeapConfig LeapDropout LeapFlops LeapFlopsOptions LeapImportanceOptions LeapOptions
  LeapStateOptions LeapVariant LeapWindowOptions LinearCrossEntropyOptions LoadReport
  LoadableCheckpoint LongformerEncoderAttention LsgEncoderAttention MatmulOptions MeasureOptions
  MeasuredCase MemoryTag MergedProgressive NaiveLeapOptions NetworkStore NormOptions
  OpenCorpusOptions OpenTokenizerOptions Operand ParameterGroup ParameterOptions PresetName
  ProfileRow ProgressiveConfig PublishedFigure PublishedTensor ReduceOptions ReportInput
  ResolvedLeapConfig ResultComparison RunBody RunResult SafetensorsFile SafetensorsType Schedule
  ScheduleName ScheduleOptions SeparateInput Shape SoftmaxOptions SpanLogits
  SparseEncoderAttention Stage StepReport StoredTable StoredTensor TagBytes Task TaskContext
  TimedCase Timing TokenizeOptions TokenizedCorpus Tokenizer TokenizerName TrainOptions
  TrainingHistory TruncationPolicy Trust TuneOptions TuneReport Uniform WindowSum
`);

const source = await Deno.readTextFile(new URL("../mod.ts", import.meta.url));

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Names after `export type` or marked `type` in the source; they leave no trace at run time. */
function exportedTypes(text: string): string[] {
  const names: string[] = [];
  for (const [, isType, list] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const name of list.split(",").map((part) => part.trim()).filter(Boolean)) {
      if (isType || name.startsWith("type ")) names.push(name.replace(/^type /, ""));
    }
  }
  return names.sort();
}

Deno.test("mod.ts exports these values and no others", () => {
  assert.deepEqual(Object.keys(api).sort(), VALUES);
  for (const [name, value] of Object.entries(api)) {
    assert.notEqual(value, undefined, `${name} is undefined`);
  }
});

Deno.test("mod.ts exports these types and no others", () => {
  assert.deepEqual(exportedTypes(source), TYPES);
});

Deno.test("mod.ts names every export: a star would let names in unseen", () => {
  assert.doesNotMatch(source, /^export \*/m);
});

gpuTest("the snippet of mod.ts runs and its loss falls", async () => {
  const snippet = source.match(/```ts\n([\s\S]*?)```/)?.[1].replaceAll(/^ \* ?/gm, "") ?? "";
  const imported = snippet.match(/^import \{ (.*) \} from "\.\/mod\.ts";$/m);
  assert.ok(imported, "the snippet imports from ./mod.ts on one line");
  const names = imported[1].split(", ");
  const losses: number[] = [];
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const body = new AsyncFunction(...names, "console", snippet.replace(imported[0], ""));
  await body(...names.map((name) => api[name as keyof typeof api]), {
    log: (_step: number, loss: number) => losses.push(loss),
  });
  assert.equal(losses.length, 20);
  assert.ok(losses[19] < losses[0] / 2, `losses ${losses[0]} to ${losses[19]}`);
});
