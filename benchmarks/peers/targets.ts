import type { PeerClock } from "./compare.ts";

/** What a row has to reach against the best peer. */
export interface Target {
  /** Times faster. */
  readonly speedup: number;
  /** Clock on which it counts: GPU time where both sides have it, else wall; or always wall. */
  readonly clock: PeerClock;
  /** Largest share of the best peer's peak bytes; null where none was set. */
  readonly bytesShare: number | null;
}

type Params = Readonly<Record<string, string | number | boolean>>;

const target = (
  speedup: number,
  clock: PeerClock,
  bytesShare: number | null = null,
): Target => ({ speedup, clock, bytesShare });

/** Adapters that targets were set for. */
export type TargetAdapter = "llvmpipe" | "swiftshader";

/** Which set of targets holds on an adapter; null on hardware, for which none was set. */
export function targetAdapter(description: string): TargetAdapter | null {
  if (/llvmpipe|lavapipe/i.test(description)) return "llvmpipe";
  return /swiftshader/i.test(description) ? "swiftshader" : null;
}

const WALL_OPERATIONS = new Set(["attention", "gpt2-step", "gpt2-inference"]);

/** Clock of an operation's comparison: whole passes through the network by wall, single operations by GPU time where there is one. */
export function clockOf(params: Params): PeerClock {
  return WALL_OPERATIONS.has(`${params.operation}`) ? "wall-time" : "gpu-time";
}

/** Target of a row, fixed before the kernels were written; null where none was set. */
export function targetOf(params: Params, adapter: TargetAdapter | null): Target | null {
  const clock = clockOf(params);
  if (adapter === null) return null;
  if (adapter === "swiftshader") return target(1, clock);
  switch (params.operation) {
    case "matmul":
      return target(3, clock);
    case "prefix-sum":
    case "layer-norm":
    case "softmax":
    case "cross-entropy":
      return target(4, clock);
    case "attention":
      if (params.phase !== "forward+backward") return null;
      if (params.length === 1024) return target(8, clock);
      return params.length === 2048 ? target(10, clock, 1 / 40) : null;
    case "gpt2-step":
      if (params.length === 256) return target(3.5, clock, 1 / 6);
      return params.length === 1024 ? target(6, clock, 1 / 10) : null;
    default:
      return null;
  }
}
