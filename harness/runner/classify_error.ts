import type { Reason, ReasonCode } from "../schema/cell.ts";

/** Error classes of the engine and the runtime by name: the class itself may come from elsewhere. */
const CODES: Readonly<Record<string, ReasonCode>> = {
  GpuOutOfMemoryError: "out-of-memory",
  BindingTooLargeError: "binding-too-large",
  GpuValidationError: "validation-error",
  DeviceLostError: "device-lost",
  AbortError: "aborted",
  TimeoutError: "time-limit",
  DataMissingError: "missing-data",
};

/** An error and its causes, outermost first. */
function* chain(error: unknown): Generator<Error> {
  for (let depth = 0; error instanceof Error && depth < 8; depth++, error = error.cause) {
    yield error;
  }
}

/** True when the GPU is gone, so that no other task can run either. */
export function isDeviceLost(error: unknown): boolean {
  return [...chain(error)].some((item) => item.name === "DeviceLostError");
}

/** Reason of a failed row: a code for machines, one line for people. */
export function classifyError(error: unknown): Reason {
  for (const item of chain(error)) {
    const code = CODES[item.name];
    if (code) return { code, message: oneLine(item) };
  }
  return { code: "error", message: oneLine(error) };
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s+/g, " ").slice(0, 500);
}
