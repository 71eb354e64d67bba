import type { AdapterInfo } from "../adapter_info.ts";
import { type Candidate, log2Bucket, type Tunable, type Workspace } from "../autotune/candidate.ts";
import { chosenCandidate } from "../autotune/choices.ts";
import type { Gpu } from "../gpu.ts";
import { type Kernel, kernelSource, MAX_GRID } from "../kernel.ts";
import { type DirectTile, matmulDirectKernel } from "../kernels/matmul_direct.ts";
import { matmulPlainKernel } from "../kernels/matmul_plain.ts";
import { matmulStagedKernel, type StagedTile } from "../kernels/matmul_staged.ts";
import type { MatmulProblem } from "../kernels/matmul.ts";
import { uniformAt } from "../random.ts";
import type { Tensor } from "../tensor.ts";

/** Buffers of one product; `bias`, `residual` and `pre` where the epilogue asks for them. */
export interface GemmTensors {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly bias?: Tensor;
  readonly residual?: Tensor;
  readonly pre?: Tensor;
  readonly c: Tensor;
}

/** A matmul variant. */
export interface MatmulCandidate extends Candidate<MatmulProblem> {
  readonly kernel: (problem: MatmulProblem) => Kernel;
}

/** Sizes and storage of a product to tune for. */
export type MatmulSize =
  & Pick<MatmulProblem, "M" | "N" | "K">
  & Partial<Pick<MatmulProblem, "batch" | "transposeA" | "transposeB">>;

/** Runs one matrix product with the variant chosen for this adapter and shape class. Not recorded on the tape. */
export function gemm(gpu: Gpu, problem: MatmulProblem, tensors: GemmTensors): void {
  const { a, b, bias, residual, pre, c } = tensors;
  const list = [a, b, bias, residual, pre, c].filter((t) => t !== undefined);
  const kernel = chosenCandidate(gpu, matmulTunable, problem).kernel(problem);
  if (kernel.grid.some((n) => n > MAX_GRID)) {
    throw new RangeError(
      `Cannot multiply: ${kernel.name} needs a grid of ${kernel.grid.join(" x ")} workgroups for ` +
        `M=${problem.M}, N=${problem.N} and batch ${problem.batch}, expected at most ${MAX_GRID} each way`,
    );
  }
  gpu.run(kernel, list);
}

/** The plain product of these sizes, for tuning. */
export function matmulProblem(size: MatmulSize): MatmulProblem {
  const { M, N, K, batch = 1, transposeA = false, transposeB = false } = size;
  return {
    M,
    N,
    K,
    batch,
    transposeA,
    transposeB,
    strideA: batch > 1 ? M * K : 0,
    strideB: batch > 1 ? K * N : 0,
    alpha: 1,
    epilogue: {},
  };
}

function candidate(
  name: string,
  kernel: (problem: MatmulProblem) => Kernel,
  reference = false,
): MatmulCandidate {
  return {
    name,
    kernel,
    reference,
    dispatch: (gpu, problem, tensors) => gpu.run(kernel({ ...problem, epilogue: {} }), tensors),
  };
}

const direct = (name: string, tile: (problem: MatmulProblem) => DirectTile) =>
  candidate(name, (problem) => matmulDirectKernel(problem, tile(problem)));

const staged = (name: string, tile: StagedTile) =>
  candidate(name, (problem) => matmulStagedKernel(problem, tile));

/**
 * The matmul variants. `direct 8x16` is best on llvmpipe for every shape and transposition, `direct 16x16` on SwiftShader; GPUs start
 * with workgroup memory, and with more lanes to a workgroup where C has few rows.
 */
export const matmulTunable: Tunable<MatmulProblem, MatmulCandidate> = {
  name: "matmul",
  candidates: [
    direct("direct 8x16", (problem) => directTile(problem, 8)),
    direct("direct 16x16", (problem) => directTile(problem, 16)),
    direct("direct 32 lanes", ({ M }) => ({ tileM: narrowRows(M) ?? 8, tileN: 4, lanes: 32 })),
    staged("staged 64x64", { blockM: 64, blockN: 64, threadM: 4 }),
    staged("staged 32x32", { blockM: 32, blockN: 32, threadM: 4 }),
    staged("staged 128x64", { blockM: 128, blockN: 64, threadM: 8 }),
    candidate("plain", matmulPlainKernel, true),
  ],
  defaultFor: defaultVariant,
  bucketOf: ({ M, N, K, batch, transposeA, transposeB }) =>
    `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}${batch > 1 ? " batched" : ""} m${
      log2Bucket(M)
    } n${log2Bucket(N)} k${log2Bucket(K)}`,
  prepare,
  source: () =>
    [[false, false], [false, true], [true, false], [true, true]].flatMap(([tA, tB]) => {
      const problem = matmulProblem({ M: 256, N: 256, K: 256, transposeA: tA, transposeB: tB });
      return matmulTunable.candidates.map(({ kernel }) => kernelSource(kernel(problem)));
    }).join("\n"),
};

function defaultVariant(info: AdapterInfo, { M, N }: MatmulProblem): string {
  if (info.class === "software") {
    return /swiftshader/i.test(info.description) ? "direct 16x16" : "direct 8x16";
  }
  if (M <= 8) return "direct 32 lanes";
  return M >= 64 && N >= 64 ? "staged 64x64" : "staged 32x32";
}

/**
 * Register tile for a product: `wide` rows, fewer columns where N would not fill them, no more rows than M. A product of one or two rows
 * gains nothing from 16 columns and keeps more cores busy with 8.
 */
function directTile({ M, N }: MatmulProblem, wide: number): DirectTile {
  const tileN = N >= 96 ? 16 : N >= 48 ? 8 : 4;
  const rows = narrowRows(M);
  if (rows !== undefined) return { tileM: rows, tileN: rows <= 2 ? Math.min(tileN, 8) : tileN };
  return { tileM: M < wide ? 8 : tileN === 4 ? 16 : wide, tileN };
}

/** Rows per thread for products of few rows, such as one decoding step's. */
function narrowRows(M: number): number | undefined {
  return M >= 8 ? undefined : M > 2 ? 4 : M;
}

function prepare(gpu: Gpu, problem: MatmulProblem): Workspace {
  const { M, N, K, batch, strideA, strideB } = problem;
  const random = (size: number, stream: number) =>
    gpu.tensor(Float32Array.from({ length: size }, (_, i) => uniformAt(0, stream, i) - 0.5), [
      size,
    ]);
  const a = random(strideA > 0 ? batch * M * K : M * K, 1);
  const b = random(strideB > 0 ? batch * K * N : K * N, 2);
  const output = gpu.empty([batch * M * N]);
  return { tensors: [a, b, output], output };
}
