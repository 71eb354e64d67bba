import type { CaseLedger, LedgerReply, LedgerRequest } from "./ledger_worker.ts";

/** Wall time after which a worker counts as stuck, in ms. */
const TIME_LIMIT_MS = 10 * 60_000;

/**
 * Exact peak bytes, dispatches and submissions of one library and case, from a worker of its own: pools that earlier cases filled, and
 * other libraries, are then not part of the figure.
 *
 * @returns null for a library without a GPU device.
 * @throws {Error} With the worker's message, when the case failed there.
 */
export async function takeLedger(
  request: LedgerRequest,
  signal?: AbortSignal,
): Promise<CaseLedger | null> {
  const worker = new Worker(new URL("./ledger_worker.ts", import.meta.url), { type: "module" });
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  const stop = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const reply = await new Promise<LedgerReply>((resolve, reject) => {
      stop.addEventListener("abort", () => reject(stop.reason), { once: true });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(request);
    });
    if (!reply.ok) throw new Error(reply.message);
    return reply.ledger;
  } finally {
    worker.terminate();
  }
}
