import type { Gpu } from "../gpu.ts";
import type { Kernel } from "../kernel.ts";
import { matmulDirectKernel } from "../kernels/matmul_direct.ts";
import type { MatmulProblem } from "../kernels/matmul.ts";
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

/** Runs one matrix product with the variant chosen for this adapter and shape class. Not recorded on the tape. */
export function gemm(gpu: Gpu, problem: MatmulProblem, tensors: GemmTensors): void {
  const { a, b, bias, residual, pre, c } = tensors;
  const list = [a, b, bias, residual, pre, c].filter((t) => t !== undefined);
  gpu.run(matmulKernelFor(gpu, problem), list);
}

function matmulKernelFor(gpu: Gpu, problem: MatmulProblem): Kernel {
  return matmulDirectKernel(problem, directTileFor(gpu, problem));
}

/** 8 x 16 is best on llvmpipe for every shape and transposition, 16 x 16 on SwiftShader; narrow products shrink the tile. */
function directTileFor(gpu: Gpu, { M, N }: MatmulProblem): { tileM: number; tileN: number } {
  const wide = /swiftshader/i.test(gpu.info.description) ? 16 : 8;
  const tileN = N >= 96 ? 16 : N >= 48 ? 8 : 4;
  const tileM = M >= wide ? (tileN === 4 ? 16 : wide) : M >= 8 ? 8 : 4;
  return { tileM, tileN };
}
