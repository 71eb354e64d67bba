import type { LsgPattern } from "../../../attention/lsg/mod.ts";

/** Heads of every case. */
const HEADS = 2;

/** A pattern with the sizes of its input. */
export interface LsgCase extends Partial<LsgPattern> {
  readonly B?: number;
  readonly T: number;
  readonly d?: number;
  readonly masked?: boolean;
  readonly dropout?: boolean;
}

const TYPES = [
  { sparsityType: "norm" },
  { sparsityType: "pooling" },
  { sparsityType: "stride" },
  { sparsityType: "block_stride" },
  { sparsityType: "bos_pooling" },
  { sparsityType: "lsh" },
] as const;

/** Sizes that no tile divides, every selection with padding, both ends of the window rules, and the options one by one. */
export const CASES: LsgCase[] = [
  { T: 16, sparsityType: "none" },
  { T: 17, globals: 3, sparsityType: "none", masked: true },
  ...TYPES.map((type) => ({ ...type, T: 24 })),
  ...TYPES.map((type) => ({ ...type, B: 2, T: 22, globals: 2, masked: true })),
  ...TYPES.map((type) => ({ ...type, T: 32, blockSize: 8, sparseBlockSize: 4, masked: true })),
  ...TYPES.map((type) => ({ ...type, T: 26, causal: true, globals: 2, masked: true })),
  { T: 29, blockSize: 8, sparseBlockSize: 16, sparsityFactor: 4, sparsityType: "norm" },
  {
    T: 40,
    blockSize: 8,
    sparseBlockSize: 8,
    sparsityFactor: 4,
    sparsityType: "lsh",
    lshPreRounds: 2,
  },
  {
    T: 40,
    blockSize: 8,
    sparseBlockSize: 8,
    sparsityFactor: 2,
    sparsityType: "lsh",
    lshPreRounds: 0,
  },
  { T: 24, sparsityFactor: 4, sparsityType: "lsh" },
  { T: 21, sparsityFactor: 1, sparsityType: "norm", masked: true },
  { T: 21, sparsityFactor: 1, sparsityType: "pooling", sparseBlockSize: 2 },
  { T: 24, sparsityFactor: 4, sparsityType: "pooling", sparseBlockSize: 2 },
  { T: 24, sparsityFactor: 4, sparsityType: "pooling", parity: { oddRightOffset: true } },
  { T: 24, sparsityType: "bos_pooling", masked: true, parity: { bosPoolingMaskBug: true } },
  { T: 33, blockSize: 6, sparseBlockSize: 6, sparsityFactor: 2, sparsityType: "stride" },
  { T: 22, sparsityType: "norm", maskFirstToken: true, masked: true },
  { T: 22, sparsityType: "bos_pooling", maskFirstToken: true },
  { T: 8, sparsityType: "norm", globals: 2, masked: true },
  { T: 9, sparsityType: "norm", globals: 2, masked: true },
  { T: 7, sparsityType: "pooling", maskFirstToken: true, masked: true },
  { T: 7, sparsityType: "pooling", maskFirstToken: true },
  { T: 8, sparsityType: "norm", causal: true, globals: 2 },
  { T: 1, sparsityType: "norm" },
  { T: 24, d: 3, sparsityType: "pooling", masked: true },
  { T: 24, d: 6, sparsityType: "norm", globals: 2 },
  { T: 24, d: 5, sparsityType: "bos_pooling", causal: true },
  { T: 24, d: 6, sparsityType: "lsh" },
  { B: 2, T: 22, sparsityType: "norm", dropout: true, masked: true },
  { B: 2, T: 22, sparsityType: "pooling", dropout: true, globals: 3 },
  { T: 22, sparsityType: "bos_pooling", dropout: true, causal: true, globals: 2 },
  { T: 7, sparsityType: "none", dropout: true, globals: 2 },
];

/** The pattern of a case: two tokens to a sparse key, blocks of 4, one global. */
export function patternOf(testCase: LsgCase): LsgPattern {
  return {
    globals: testCase.globals ?? 1,
    blockSize: testCase.blockSize ?? 4,
    sparseBlockSize: testCase.sparseBlockSize ?? 4,
    sparsityFactor: testCase.sparsityFactor ?? 2,
    sparsityType: testCase.sparsityType ?? "norm",
    causal: testCase.causal,
    maskFirstToken: testCase.maskFirstToken,
    lshPreRounds: testCase.lshPreRounds,
    parity: testCase.parity,
  };
}

/** Sizes, mask and dropout of a case. Of a masked batch the end is padding, and one whole group and block in the middle. */
export function inputOf(testCase: LsgCase) {
  const { B = 1, T, d = 4, globals = 1, blockSize = 4 } = testCase;
  const N = globals + T;
  const keyMask = new Int32Array(B * N).fill(1);
  for (let b = 0; b < B; b++) {
    keyMask.fill(0, b * N + Math.ceil(N * (0.8 - 0.1 * b)), (b + 1) * N);
    if (T > 2 * blockSize) {
      keyMask.fill(0, b * N + globals + blockSize + b, b * N + globals + 2 * blockSize);
    }
  }
  return {
    ...{ B, H: HEADS, T, d, N },
    keyMask: testCase.masked ? keyMask : undefined,
    dropout: testCase.dropout ? { p: 0.3, seed: 7, stream: 11 } : undefined,
  };
}

/** Readable name of a case. */
export function describe(testCase: LsgCase): string {
  return Object.entries(testCase).map(([key, value]) =>
    `${key} ${typeof value === "object" ? Object.keys(value).join() : value}`
  ).join(", ");
}
