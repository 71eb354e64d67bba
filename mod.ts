/**
 * Attention Bench as a library: tensors with automatic differentiation on WebGPU, attention mechanisms, models, training, data, and
 * the contract of a benchmark. The command line stands on the same modules.
 *
 * This file is the public surface and nothing else; `tests/public_api_test.ts` pins its names. What is not here (kernel makers,
 * reference implementations, the runner) may change without notice.
 *
 * @example Train a small LEAP model on a repeating pattern
 * ```ts
 * import { AdamW, Gpu, Leap, makeSchedule, train } from "./mod.ts";
 *
 * const gpu = await Gpu.open();
 * const model = new Leap(gpu, { vocabSize: 16, positions: 32, width: 64, heads: 2, layers: 2 }, 1);
 * const optimizer = new AdamW(model.parameters, { clipNorm: 1 });
 * const ids = gpu.tensor(Int32Array.from({ length: 64 }, (_, i) => i % 7), [2, 32]);
 * const targets = gpu.tensor(Int32Array.from({ length: 64 }, (_, i) => (i + 1) % 7), [2, 32]);
 * await train({
 *   gpu,
 *   optimizer,
 *   schedule: makeSchedule("constant", { learningRate: 1e-2, steps: 20 }),
 *   steps: 20,
 *   loss: () => model.loss(ids, targets),
 *   onStep: ({ step, loss }) => console.log(step, loss),
 * });
 * gpu.destroy();
 * ```
 *
 * @module
 */

// Engine: device, tensors, parameters.
export {
  type AdapterInfo,
  type ClockName,
  type DType,
  Gpu,
  type GpuCounters,
  type GpuOptions,
  type HostArray,
  type MemoryTag,
  type ProfileRow,
  type Shape,
  type TagBytes,
  Tape,
  Tensor,
  type Timing,
} from "./engine/mod.ts";
export {
  constant,
  type Initializer,
  normal,
  Parameter,
  type ParameterGroup,
  type ParameterOptions,
  ParameterSet,
  values,
} from "./engine/mod.ts";
export {
  BindingTooLargeError,
  DeviceLostError,
  GpuOutOfMemoryError,
  GpuValidationError,
  NoAdapterError,
  ShapeError,
  UseAfterFreeError,
} from "./engine/mod.ts";

// Engine: random numbers, a function of (seed, stream, index).
export { normalAt, streamOf, uniformAt } from "./engine/mod.ts";

// Engine: operations; all have gradients but the ones that only choose (argmax, greater).
export {
  abs,
  add,
  addScalar,
  affine,
  argmax,
  concat,
  conv1d,
  type Conv1dOptions,
  convTranspose1d,
  crossEntropy,
  type CrossEntropyOptions,
  cumsum,
  type CumsumOptions,
  detach,
  div,
  dropout,
  type DropoutOptions,
  elu,
  embedding,
  exp,
  flip,
  gather,
  gelu,
  geluTanh,
  greater,
  groupMask,
  layerNorm,
  linearCrossEntropy,
  type LinearCrossEntropyOptions,
  log,
  logSoftmax,
  matmul,
  type MatmulOptions,
  max,
  maximum,
  maximumScalar,
  mean,
  minimum,
  minimumScalar,
  mul,
  mulScalar,
  neg,
  type NormOptions,
  type Operand,
  pad,
  permute,
  pow,
  reciprocal,
  type ReduceOptions,
  relu,
  reshape,
  rmsNorm,
  scatterAddRows,
  sigmoid,
  silu,
  slice,
  softmax,
  type SoftmaxOptions,
  sqrt,
  square,
  sub,
  sum,
  takeRows,
  tanh,
  transpose,
  where,
} from "./engine/mod.ts";

// Engine: what a kernel of one's own is made of, for `gpu.run`.
export type { Binding, BindingType, Grid, Kernel, Uniform } from "./engine/mod.ts";

// Engine: choosing among kernel variants.
export {
  type CandidateReport,
  exportChoices,
  importChoices,
  matmulProblem,
  matmulTunable,
  pinChoice,
  tune,
  type TuneOptions,
  type TuneReport,
} from "./engine/mod.ts";

// Attention mechanisms.
export {
  type AttentionDropout,
  type AttentionFlops,
  attentionFlops,
  type AttentionFlopsOptions,
  type AttentionInput,
  type AttentionOptions,
  attentionProbabilities,
  attentionTunable,
  type CacheShape,
  decodeAttention,
  type DecodeOptions,
  fusedAttention,
  type FusedAttentionOptions,
  KeyValueCache,
  naiveAttention,
  naiveAttentionWithProbabilities,
  type SeparateInput,
} from "./attention/mod.ts";
export {
  fusedLeapAttention,
  type LeapDropout,
  type LeapFlops,
  leapFlops,
  type LeapFlopsOptions,
  leapImportance,
  type LeapImportanceOptions,
  type LeapOptions,
  LeapState,
  type LeapStateOptions,
  leapStateSize,
  type LeapVariant,
  naiveLeapAttention,
  type NaiveLeapOptions,
  type WindowSum,
} from "./attention/mod.ts";

// Models.
export {
  ConfigError,
  type Decoder,
  type ForwardOptions,
  Gpt2,
  type Gpt2Block,
  type Gpt2Config,
  type LanguageModel,
  Leap,
  type LeapBlock,
  type LeapConfig,
  type LeapWindowOptions,
  leapWindows,
  type ResolvedLeapConfig,
} from "./models/mod.ts";

// Training.
export {
  AdamW,
  type AdamWOptions,
  checkConversion,
  type CheckpointState,
  type CheckpointStore,
  type Conversion,
  type ConversionCheck,
  ConversionError,
  type ConversionOptions,
  type ConversionParity,
  type ConversionSource,
  convertCheckpoint,
  DivergedError,
  evaluate,
  type Evaluation,
  type LanguageModelTraining,
  type LoadableCheckpoint,
  loadCheckpoint,
  makeSchedule,
  readSafetensors,
  SafetensorsError,
  type SafetensorsFile,
  type SafetensorsType,
  saveCheckpoint,
  type Schedule,
  type ScheduleName,
  type ScheduleOptions,
  SCHEDULES,
  StepInputs,
  type StepReport,
  type StoredTable,
  type StoredTensor,
  train,
  type TrainingHistory,
  trainLanguageModel,
  type TrainOptions,
  writeSafetensors,
} from "./train/mod.ts";

// Data.
export {
  type BatchOptions,
  bitsPerByte,
  type BytePairTrainingOptions,
  type Corpus,
  CORPUS_NAMES,
  type CorpusName,
  type CorpusSplit,
  DataChecksumError,
  type DataStore,
  DataUnavailableError,
  type Document,
  fetchHubFile,
  type HubContent,
  HubError,
  type HubFile,
  type HubOptions,
  IGNORED_TARGET,
  type LanguageModellingBatch,
  LanguageModellingData,
  type LanguageModellingOptions,
  type NetworkStore,
  openCorpus,
  type OpenCorpusOptions,
  openTokenizer,
  openTokenizerJson,
  type OpenTokenizerOptions,
  perplexity,
  SOURCES,
  tokenizeCorpus,
  type TokenizedCorpus,
  type TokenizeOptions,
  type Tokenizer,
  TOKENIZER_NAMES,
  type TokenizerName,
  trainBytePair,
  type Trust,
} from "./data/mod.ts";

// Harness: what a benchmark implements and is given.
export type {
  ArtifactStore,
  Audit,
  Benchmark,
  Cell,
  CellInput,
  Comparison,
  MeasuredCase,
  MeasureOptions,
  PresetName,
  PublishedFigure,
  ReportInput,
  RunBody,
  Task,
  TaskContext,
  TimedCase,
} from "./harness/contract.ts";
export { type Host, type HostEntry, StorageError } from "./harness/host.ts";

// Harness: reading and comparing results.
export type { RunResult } from "./harness/result_schema.ts";
export { readResult } from "./harness/read_result.ts";
export { compareResults, renderComparison, type ResultComparison } from "./harness/compare.ts";

// Truncation: which tokens of a long text to keep.
export {
  ATTENTION_SCORINGS,
  type AttentionScoreOptions,
  type AttentionScoring,
  fusedAttentionWithScores,
  naiveAttentionWithScores,
} from "./attention/mod.ts";
export {
  attentionScores,
  Bert,
  type BertBuild,
  type BertConfig,
  bertConfigFromJson,
  type BertLoadReport,
  type BertOptions,
  type BertScoreOptions,
  type BigBirdEncoderAttention,
  type DocumentScoreOptions,
  type EncoderAttention,
  loadBertWeights,
  type LongformerEncoderAttention,
  type LsgEncoderAttention,
  type PublishedTensor,
  type SpanLogits,
  type SparseEncoderAttention,
} from "./models/mod.ts";
export {
  budgetForShare,
  documentFingerprint,
  DocumentFrequencies,
  findLeaks,
  keptPositions,
  overlap,
  padRows,
  rankCorrelation,
  TokenScores,
  truncate,
  truncateBatch,
  TRUNCATION_POLICIES,
  type TruncationPolicy,
} from "./data/mod.ts";

// Sequence-to-sequence models, and what published checkpoints are read with.
export {
  Bart,
  type BartConfig,
  bartConfigFromJson,
  type BartOptions,
  type EncodedText,
  generateText,
  type GenerateTextOptions,
  loadBartWeights,
  type LoadReport,
  shiftRight,
} from "./models/mod.ts";

// Language models beside GPT-2 and LEAP.
export {
  ConvAttention,
  type ConvAttentionConfig,
  growProgressive,
  type MergedProgressive,
  type ProgressiveConfig,
  ProgressiveDiverging,
  type Stage,
  STAGES,
} from "./models/mod.ts";
