import type {
  Audit,
  Calibration,
  CellInput,
  MeasuredCase,
  TaskContext,
} from "../../harness/contract.ts";
import { rooflineFloorNs } from "../../harness/roofline.ts";
import type { CaseOutputs, PreparedCase } from "./adapter.ts";
import { caseCost } from "./case_cost.ts";
import { type PeerCase, phaseOf, rowParams } from "./cases.ts";
import { auditLogits, auditLosses, auditOutputs } from "./check_outputs.ts";
import type { PeersConfig } from "./config.ts";
import { type CaseInputs, makeInputs } from "./inputs.ts";
import type { CaseLedger } from "./ledger_worker.ts";
import { type OpenLibrary, sharedLibrary } from "./libraries.ts";
import { measureLibraries } from "./measure_cases.ts";
import { type LibraryName, PEER_PACKAGES } from "./packages.ts";
import { type ReferenceSample, sampleReference } from "./reference.ts";
import { takeLedger } from "./take_ledger.ts";

type Reason = NonNullable<CellInput["reasons"]>[number];

/** What is known of one library in one case. */
interface Entry {
  readonly name: LibraryName;
  status: "ok" | "failed" | "skipped";
  readonly reasons: Reason[];
  readonly notes: string[];
  library?: OpenLibrary;
  prepared?: PreparedCase;
  outputs?: CaseOutputs;
  audit?: Audit;
  measured?: MeasuredCase;
  ledger?: CaseLedger | null;
}

/**
 * One case in every library: build, check the outputs, time those that are right together, then take each one's ledger. A library that
 * fails anywhere becomes a row with its error text and the others go on.
 */
export async function runCase(
  context: TaskContext,
  spec: PeerCase,
  config: PeersConfig,
): Promise<void> {
  const seed = context.seed("inputs");
  const inputs = makeInputs(spec, seed);
  const samples = sampleReference(spec, inputs);
  const names: LibraryName[] = ["ours", ...config.libraries];
  const entries: Entry[] = [];
  try {
    for (const [i, name] of names.entries()) {
      context.signal.throwIfAborted();
      context.progress(0.3 * i / names.length, `checking ${name}`);
      const entry: Entry = { name, status: "ok", reasons: [], notes: [] };
      entries.push(entry);
      await build(context, entry, spec, inputs, { seed, lossSteps: config.lossSteps });
    }
    checkAll(context, spec, entries, samples);
    context.progress(0.3, "timing");
    await time(context, spec, entries.filter(isOk), config);
  } finally {
    for (const { prepared } of entries) prepared?.dispose();
  }
  if (config.ledger) {
    for (const [i, entry] of entries.filter(isOk).entries()) {
      context.progress(0.8 + 0.2 * i / entries.length, `ledger of ${entry.name}`);
      try {
        const { choices } = context.gpu;
        const request = { library: entry.name, spec, seed, choices };
        entry.ledger = await takeLedger(request, context.signal);
      } catch (error) {
        context.signal.throwIfAborted();
        entry.notes.push(`bytes and dispatches not taken: ${messageOf(error)}`);
      }
    }
  }
  for (const entry of entries) context.record(cellOf(spec, entry));
}

const isOk = (entry: Entry) => entry.status === "ok";

async function build(
  context: TaskContext,
  entry: Entry,
  spec: PeerCase,
  inputs: CaseInputs,
  options: { seed: number; lossSteps: number },
): Promise<void> {
  try {
    entry.library = await sharedLibrary(entry.name, context.gpu);
    const { adapter, deviceErrors } = entry.library;
    deviceErrors.length = 0;
    const prepared = await adapter.prepare(spec, inputs, options);
    if (!prepared) {
      entry.status = "skipped";
      entry.reasons.push({ code: "unsupported", message: "the library does not offer this" });
      return;
    }
    entry.prepared = prepared;
    entry.notes.push(...prepared.notes);
    entry.outputs = await prepared.outputs();
    // Errors of the device arrive behind the results they spoil.
    await prepared.finish();
    addDeviceErrors(entry);
  } catch (error) {
    if (isDeviceLost(error) && entry.name === "ours") throw error;
    context.signal.throwIfAborted();
    fail(entry, reasonOf(error));
    addDeviceErrors(entry);
  }
}

/** Holds every output against the float64 sample and against ours; wrong ones fail before anything is timed. */
function checkAll(
  context: TaskContext,
  spec: PeerCase,
  entries: readonly Entry[],
  samples: Readonly<Record<string, ReferenceSample>>,
): void {
  const withOutputs = entries.filter((entry) => entry.outputs !== undefined);
  const ours = withOutputs.find((entry) => entry.name === "ours");
  for (const entry of withOutputs) {
    const outputs = entry.outputs!;
    // We are held against the first peer that ran, each peer against us.
    const other = entry === ours ? withOutputs.find((item) => item !== ours) : ours;
    if (spec.operation === "gpt2-inference") {
      if (!other) continue;
      const expected = other.outputs!.logits;
      const { vocabulary } = spec;
      entry.audit = auditLogits(entry.name, outputs.logits, other.name, expected, vocabulary);
      if (entry !== ours) context.audit({ ...entry.audit, id: "logit-agreement" });
    } else if (spec.operation === "gpt2-step") {
      if (!other) continue;
      entry.audit = auditLosses(entry.name, outputs.losses, other.name, other.outputs!.losses);
      if (entry !== ours) context.audit({ ...entry.audit, id: "loss-agreement" });
    } else {
      entry.audit = auditOutputs(entry.name, outputs, {
        samples,
        ours: entry === ours ? undefined : ours?.outputs,
      });
    }
    if (entry.audit.status !== "ok" && entry !== ours) {
      fail(entry, { code: "parity-red", message: `wrong result: ${entry.audit.detail}` });
    }
  }
}

async function time(
  context: TaskContext,
  spec: PeerCase,
  entries: readonly Entry[],
  config: PeersConfig,
): Promise<void> {
  const floorNs = context.calibration ? floorOf(spec, context.calibration) : undefined;
  const measured = await measureLibraries(
    context,
    entries.map((entry) => ({
      name: entry.name,
      phase: phaseOf(spec),
      device: entry.library!.adapter.device,
      prepared: entry.prepared!,
      // The roof is the adapter's: it says nothing about a library that runs on the processor.
      floorNs: entry.library!.adapter.device ? floorNs : undefined,
    })),
    {
      minSamples: config.samples,
      maxSamples: config.samples,
      minSampleMs: config.minSampleMs,
      maxTimeMs: config.maxSecondsPerCase * 1000,
    },
  );
  for (const entry of entries) {
    entry.measured = measured.find(({ name }) => name === entry.name);
    if (entry.measured?.error) fail(entry, reasonOf(entry.measured.error));
    addDeviceErrors(entry);
  }
}

function floorOf(spec: PeerCase, calibration: Calibration): number {
  return rooflineFloorNs(caseCost(spec), calibration);
}

function cellOf(spec: PeerCase, entry: Entry): CellInput {
  const { name, measured, ledger } = entry;
  const cost = caseCost(spec);
  const count = (metric: string, value: number) => ({
    metric,
    unit: "1",
    value,
    better: "lower" as const,
  });
  return {
    variant: name,
    params: rowParams(spec),
    status: entry.status,
    reasons: entry.reasons,
    implementation: {
      form: name === "ours" ? "fused" : "peer",
      label: "dense",
      peer: name === "ours" ? null : {
        name: PEER_PACKAGES[name][0].name,
        version: PEER_PACKAGES[name][0].version,
        backend: entry.library?.adapter.backend ?? "not started",
      },
    },
    timings: measured?.timing ? [measured.timing] : [],
    durationsNs: measured ? { warmup: measured.warmupNs, timed: measured.timedNs } : null,
    memoryBytes: ledger ? { peak: ledger.peakBytes } : null,
    cost: { ...cost, phase: phaseOf(spec) },
    metrics: ledger
      ? [count("dispatches", ledger.dispatches), count("submissions", ledger.submissions)]
      : [],
    curves: entry.outputs?.losses
      ? [{
        name: "training loss",
        xLabel: "step",
        yLabel: "loss (nats/token)",
        points: Array.from(entry.outputs.losses, (loss, i): [number, number] => [i + 1, loss]),
      }]
      : [],
    audits: entry.audit ? [entry.audit] : [],
    notes: entry.notes,
  };
}

function addDeviceErrors(entry: Entry): void {
  const errors = entry.library?.deviceErrors.splice(0) ?? [];
  if (errors.length === 0) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  fail(entry, { code: "validation-error", message: `device error: ${shorten(errors[0])}${more}` });
}

function fail(entry: Entry, reason: Reason): void {
  entry.status = "failed";
  entry.reasons.push(reason);
}

/** Our typed errors keep their meaning; a peer's error is its text. */
function reasonOf(error: unknown): Reason {
  const name = error instanceof Error ? error.name : "";
  const code = name === "BindingTooLargeError"
    ? "binding-too-large"
    : name === "GpuOutOfMemoryError"
    ? "out-of-memory"
    : name === "GpuValidationError"
    ? "validation-error"
    : "error";
  return { code, message: messageOf(error) };
}

function messageOf(error: unknown): string {
  return shorten(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

const MESSAGE_LENGTH = 400;

function shorten(message: string): string {
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}...` : line;
}

function isDeviceLost(error: unknown): boolean {
  return error instanceof Error && error.name === "DeviceLostError";
}
