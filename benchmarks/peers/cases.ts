/** What is measured: one case is one operation at one shape, the same for every library. */

/** Matrix product [batch, m, k] x [batch, k, n]. */
export interface MatmulCase {
  readonly operation: "matmul";
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Softmax attention of q, k, v [1, T, H, d]; backward gives dq, dk and dv from a given upstream gradient. */
export interface AttentionCase {
  readonly operation: "attention";
  readonly phase: "forward" | "forward+backward";
  readonly causal: boolean;
  readonly heads: number;
  readonly headDim: number;
  readonly length: number;
}

/** Running sums of [1, T, D] along T. */
export interface PrefixSumCase {
  readonly operation: "prefix-sum";
  readonly length: number;
  readonly width: number;
}

/** Normalisation over the last axis of [N, D]; layer norm with gain and offset. */
export interface RowCase {
  readonly operation: "layer-norm" | "softmax";
  readonly rows: number;
  readonly width: number;
}

/**
 * Mean cross-entropy of a language-model head: hidden states [N, D] times a token table [V, D] against N targets; backward gives the
 * gradients of both.
 */
export interface CrossEntropyCase {
  readonly operation: "cross-entropy";
  readonly phase: "forward" | "forward+backward";
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
}

/** One training step of a GPT-2 with AdamW. */
export interface Gpt2Case {
  readonly operation: "gpt2-step";
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly vocabulary: number;
}

/**
 * A GPT-2 at work, batch 1: `first-token` is one pass over a prompt of `length` tokens, `decode` feeds as many tokens one at a time on a
 * cache.
 */
export interface InferenceCase {
  readonly operation: "gpt2-inference";
  readonly phase: "first-token" | "decode";
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly vocabulary: number;
}

/** Any case. */
export type PeerCase =
  | MatmulCase
  | AttentionCase
  | PrefixSumCase
  | RowCase
  | CrossEntropyCase
  | Gpt2Case
  | InferenceCase;

/** Words for the timed phase of a case. */
export function phaseOf(spec: PeerCase): string {
  if (spec.operation === "gpt2-step") return "step";
  return "phase" in spec ? spec.phase : "forward";
}

/** Unique, stable name of a case; also the id of its task. */
export function caseId(spec: PeerCase): string {
  switch (spec.operation) {
    case "matmul":
      return `matmul/${spec.batch > 1 ? `${spec.batch}x` : ""}${spec.m}x${spec.k}x${spec.n}`;
    case "attention":
      return `attention/${spec.causal ? "causal" : "full"}/${spec.heads}x${spec.headDim}/` +
        `T${spec.length}/${spec.phase}`;
    case "prefix-sum":
      return `prefix-sum/T${spec.length}x${spec.width}`;
    case "layer-norm":
    case "softmax":
      return `${spec.operation}/${spec.rows}x${spec.width}`;
    case "cross-entropy":
      return `cross-entropy/${spec.rows}x${spec.width}/V${spec.vocabulary}/${spec.phase}`;
    case "gpt2-step":
      return `gpt2-step/T${spec.length}xB${spec.batch}/V${spec.vocabulary}/` +
        `${spec.layers}x${spec.width}/h${spec.heads}`;
    case "gpt2-inference":
      return `gpt2-inference/T${spec.length}/V${spec.vocabulary}/` +
        `${spec.layers}x${spec.width}/h${spec.heads}/${spec.phase}`;
  }
}

/** Words for people. */
export function caseTitle(spec: PeerCase): string {
  switch (spec.operation) {
    case "matmul":
      return spec.batch > 1
        ? `matmul ${spec.batch} x [${spec.m}, ${spec.k}] [${spec.k}, ${spec.n}]`
        : `matmul [${spec.m}, ${spec.k}] [${spec.k}, ${spec.n}]`;
    case "attention":
      return `${spec.causal ? "causal" : "full"} attention, ${spec.heads} x ${spec.headDim}, ` +
        `T ${spec.length}, ${spec.phase}`;
    case "prefix-sum":
      return `prefix sum [1, ${spec.length}, ${spec.width}] over axis 1`;
    case "layer-norm":
      return `layer norm [${spec.rows}, ${spec.width}]`;
    case "softmax":
      return `softmax [${spec.rows}, ${spec.width}]`;
    case "cross-entropy":
      return `cross-entropy head, ${spec.rows} x ${spec.width}, vocabulary ${spec.vocabulary}, ` +
        spec.phase;
    case "gpt2-step":
      return `GPT-2 training step, T ${spec.length}, batch ${spec.batch}, vocabulary ` +
        `${spec.vocabulary}, width ${spec.width}, ${spec.layers} layers, ${spec.heads} heads`;
    case "gpt2-inference":
      return `GPT-2 inference, ${spec.phase}, ${spec.length} tokens, vocabulary ` +
        `${spec.vocabulary}, width ${spec.width}, ${spec.layers} layers, ${spec.heads} heads`;
  }
}

/** Every number of a case, for the plan. */
export function caseParams(spec: PeerCase): Record<string, string | number | boolean> {
  return { case: caseId(spec), ...spec };
}

/** The few parameters that a row carries: its case says the rest. */
export function rowParams(spec: PeerCase): Record<string, string | number> {
  const params = { case: caseId(spec), operation: spec.operation, phase: phaseOf(spec) };
  return "length" in spec ? { ...params, length: spec.length } : params;
}
