/** Runs one case of one library alone in a worker and answers with its ledger. */
import { Gpu } from "../../engine/mod.ts";
import type { PeerCase } from "./cases.ts";
import { GpuLedger } from "./gpu_ledger.ts";
import { makeInputs } from "./inputs.ts";
import { openLibrary } from "./libraries.ts";
import type { LibraryName } from "./packages.ts";

/** What the worker is asked. */
export interface LedgerRequest {
  readonly library: LibraryName;
  readonly spec: PeerCase;
  readonly seed: number;
  /** Tuned choices of our engine, so that the worker counts the kernels that are timed. */
  readonly choices?: ReadonlyMap<string, string>;
}

/** What it answers. */
export type LedgerReply =
  | { readonly ok: true; readonly ledger: CaseLedger | null }
  | { readonly ok: false; readonly message: string };

/** Account of one case of one library. */
export interface CaseLedger {
  /** Highest bytes of all GPU buffers that existed at once, inputs and the library's pool included. */
  readonly peakBytes: number;
  /** Dispatches of one run after warm-up. */
  readonly dispatches: number;
  readonly submissions: number;
}

/** Runs before the counted one: pools and compiled kernels are then settled. */
const WARM_RUNS = 2;

// onnxruntime-web builds addresses from `location.origin`, which is "null" in a worker, and fails; without a location it loads.
Object.defineProperty(globalThis, "location", { value: undefined, configurable: true });

async function take({ library, spec, seed, choices }: LedgerRequest): Promise<CaseLedger | null> {
  const ledger = new GpuLedger();
  const gpu = library === "ours" ? await Gpu.open() : undefined;
  for (const [key, value] of choices ?? []) gpu?.choices.set(key, value);
  const { adapter } = await openLibrary(library, gpu as Gpu);
  const prepared = await adapter.prepare(spec, makeInputs(spec, seed), { seed, lossSteps: 0 });
  if (!prepared || !adapter.device) return null;
  for (let i = 0; i < WARM_RUNS; i++) {
    prepared.run();
    await prepared.finish();
  }
  const before = ledger.counts(adapter.device);
  prepared.run();
  await prepared.finish();
  const after = ledger.counts(adapter.device);
  return {
    peakBytes: after.peakBytes,
    dispatches: after.dispatches - before.dispatches,
    submissions: after.submissions - before.submissions,
  };
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<LedgerRequest>) => void) | null;
  postMessage(reply: LedgerReply): void;
};

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ ok: true, ledger: await take(data) });
  } catch (error) {
    scope.postMessage({
      ok: false,
      message: error instanceof Error ? error.message : String(error),
    });
  }
};
