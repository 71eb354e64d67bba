import type { PresetName } from "../../harness/contract.ts";
import type { PeersConfig } from "./config.ts";
import { PEER_NAMES } from "./packages.ts";

const BOTH = ["forward", "forward+backward"] as const;

/** Attention cases over lengths, both phases, causal; the full mask at one length. */
function attention(
  shapes: readonly { heads: number; headDim: number; lengths: readonly number[] }[],
  fullLength: number,
): PeersConfig["attention"] {
  const causal = shapes.flatMap(({ heads, headDim, lengths }) =>
    lengths.flatMap((length) =>
      BOTH.map((phase) => ({ heads, headDim, length, causal: true, phase }))
    )
  );
  const [{ heads, headDim }] = shapes;
  return [
    ...causal,
    ...BOTH.map((phase) => ({ heads, headDim, length: fullLength, causal: false, phase })),
  ];
}

/** Products of one block of the S configuration's training step, two square ones, and scores and mixing of attention at T = 1024. */
const MATMULS: PeersConfig["matmul"] = [
  { batch: 1, m: 1024, k: 128, n: 512 },
  { batch: 1, m: 1024, k: 512, n: 128 },
  { batch: 1, m: 1024, k: 128, n: 2048 },
  { batch: 1, m: 512, k: 512, n: 512 },
  { batch: 1, m: 1024, k: 1024, n: 1024 },
  { batch: 4, m: 1024, k: 32, n: 1024 },
  { batch: 4, m: 1024, k: 1024, n: 32 },
];

const head = (rows: number, vocabulary: number, phases: readonly typeof BOTH[number][] = BOTH) =>
  phases.map((phase) => ({ rows, width: 128, vocabulary, phase }));

const S = { batch: 4, length: 256, width: 128, heads: 4, layers: 4, vocabulary: 2048 };
const INFERENCE = { length: 256, width: 128, heads: 4, layers: 4, vocabulary: 2048 };
const L = { ...S, batch: 1, length: 1024 };

/** Presets: `smoke` runs every code path at tiny shapes, `small` the shapes with targets, `paper` all of them. */
export const PEERS_PRESETS: Record<PresetName, PeersConfig> = {
  smoke: {
    libraries: [...PEER_NAMES],
    matmul: [{ batch: 1, m: 64, k: 32, n: 64 }, { batch: 2, m: 33, k: 16, n: 20 }],
    attention: attention([{ heads: 2, headDim: 16, lengths: [64] }], 64),
    prefixSum: [{ length: 128, width: 32 }],
    layerNorm: [{ rows: 64, width: 64 }],
    softmax: [{ rows: 64, width: 64 }],
    crossEntropy: head(64, 100),
    gpt2Step: [{ batch: 2, length: 32, width: 32, heads: 2, layers: 2, vocabulary: 96 }],
    gpt2Inference: [{ length: 12, width: 32, heads: 2, layers: 2, vocabulary: 96 }],
    samples: 5,
    minSampleMs: 2,
    maxSecondsPerCase: 2,
    lossSteps: 10,
    ledger: true,
  },
  small: {
    libraries: [...PEER_NAMES],
    matmul: MATMULS,
    attention: attention([{ heads: 4, headDim: 32, lengths: [256, 1024, 2048, 4096] }], 1024),
    prefixSum: [{ length: 2048, width: 128 }, { length: 8192, width: 128 }],
    layerNorm: [{ rows: 1024, width: 128 }, { rows: 4096, width: 768 }],
    softmax: [{ rows: 1024, width: 2048 }],
    // 2048 rows of 32100 logits pass the 128 MiB binding limit of most adapters; 1024 rows just do not.
    crossEntropy: [...head(1024, 2048), ...head(1024, 8192), ...head(2048, 32100)],
    gpt2Step: [S, L],
    gpt2Inference: [INFERENCE],
    samples: 10,
    minSampleMs: 100,
    maxSecondsPerCase: 45,
    lossSteps: 10,
    ledger: true,
  },
  paper: {
    libraries: [...PEER_NAMES],
    matmul: [
      ...MATMULS,
      { batch: 12, m: 1024, k: 64, n: 1024 },
      { batch: 12, m: 1024, k: 1024, n: 64 },
    ],
    attention: attention([
      { heads: 4, headDim: 32, lengths: [256, 512, 1024, 2048, 4096] },
      { heads: 12, headDim: 64, lengths: [256, 512, 1024, 2048, 4096] },
    ], 2048),
    prefixSum: [{ length: 2048, width: 128 }, { length: 8192, width: 128 }],
    layerNorm: [{ rows: 1024, width: 128 }, { rows: 4096, width: 768 }],
    softmax: [{ rows: 1024, width: 2048 }, { rows: 4096, width: 768 }],
    crossEntropy: [
      ...head(1024, 2048),
      ...head(1024, 8192),
      ...head(1024, 32100),
      ...head(2048, 32100),
    ],
    gpt2Step: [S, L],
    gpt2Inference: [INFERENCE],
    samples: 20,
    minSampleMs: 100,
    maxSecondsPerCase: 60,
    lossSteps: 10,
    ledger: true,
  },
};
