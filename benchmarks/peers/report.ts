import type { ReportInput, RunBody } from "../../harness/contract.ts";
import { CLOCKS, type PeerClock } from "./compare.ts";
import { inferenceTables } from "./inference_table.ts";
import { PEER_PACKAGES, type PeerName } from "./packages.ts";
import {
  isOnAdapter,
  medianMs,
  type PeerRow,
  type Speedup,
  summarizeRows,
} from "./summarize_rows.ts";
import { type Target, targetAdapter } from "./targets.ts";

type Section = ReportInput["sections"][number];
type Table = NonNullable<Section["tables"]>[number];
type Value = Table["rows"][number][number];

const right = (name: string) => ({ name, align: "right" as const });

/** The report of a run: pure, from the recorded rows alone. */
export function reportPeers(result: RunBody): ReportInput {
  const { description, device, vendor } = result.system.accelerator;
  // Smoke shapes are too small for the targets to mean anything.
  const adapter = result.preset === "smoke"
    ? null
    : targetAdapter(`${vendor} ${device} ${description}`);
  const rows = summarizeRows(result.cells, result.comparisons, result.calibration[0], adapter);
  return {
    headline: headline(rows, description),
    sections: [
      {
        heading: "Against the best peer",
        paragraphs: [
          "Ratios are the peer's time over ours, paired within randomised blocks, with a 95 % bootstrap interval. The best peer is the " +
          "one we do worst against. GPU time is the sum over compute passes by timestamps; attention and training steps are compared by " +
          "wall clock. onnxruntime's wasm provider runs on the processor and has no GPU time, so it is always compared by wall clock, " +
          "and in a column of its own: on a software adapter it competes for the same cores without the cost of WebGPU.",
        ],
        tables: operations(rows).map((name) => speedTable(name, rows)),
        charts: chart(rows),
      },
      ...inferenceSection(rows),
      {
        heading: "Times of every library",
        paragraphs: [
          "Medians per run in ms. GPU time leaves out the gaps in which a library keeps the GPU idle and what it does on the processor; " +
          "wall time has both, and the wait for the end.",
        ],
        tables: CLOCKS.map((clock) => timeTable(rows, clock)),
      },
      {
        heading: "Memory, dispatches and submissions",
        paragraphs: [
          "Peak bytes of all GPU buffers that existed at once, counted on the WebGPU calls, with the library alone in a worker; the " +
          "library's own pool of free buffers is part of it. Dispatches and submissions are those of one run after warm-up.",
        ],
        tables: [ledgerTable(rows)],
      },
      { heading: "Rows without a time", tables: [failureTable(rows)] },
      {
        heading: "Libraries and how they were used",
        tables: [libraryTable(result), noteTable(rows)],
      },
    ],
  };
}

function inferenceSection(rows: readonly PeerRow[]): Section[] {
  const tables = inferenceTables(rows);
  if (tables.length === 0) return [];
  return [{
    heading: "Inference",
    paragraphs: [
      "The same GPT-2 weights, in onnxruntime as written by this suite's exporter. First token: one pass over the prompt, with the " +
      "logits of all its positions. Tokens per second: as many given tokens, one at a time on a cache and without reading " +
      "anything back, so what is compared is the model and not the choice of the next token.",
    ],
    tables,
  }];
}

function headline(rows: readonly PeerRow[], adapter: string): string[] {
  const against = (speedups: (row: PeerRow) => readonly Speedup[]) => {
    const compared = rows.filter((row) => speedups(row).length > 0);
    return `${compared.filter((row) => speedups(row)[0].value > 1).length} of ${compared.length}`;
  };
  const broken =
    rows.flatMap(({ peers }) => peers).filter(({ status }) => status === "failed").length;
  const lines = [
    `On ${adapter} our engine is faster than the best WebGPU peer in ` +
    `${
      against((row) => row.speedups.filter(isOnAdapter))
    } cases, and than the best peer of all, the wasm provider on the processor ` +
    `included, in ${
      against((row) => row.speedups)
    }; ${broken} rows of peers failed or gave a wrong result.`,
  ];
  const judged = rows.filter((row) => row.met !== null);
  if (judged.length > 0) {
    const onAdapter = judged.filter((row) => row.metOnAdapter).length;
    const met = judged.filter((row) => row.met).length;
    lines.push(
      `Of ${judged.length} targets ${onAdapter} are met against the WebGPU peers and ${met} against all.`,
    );
  }
  const ours = rows.filter((row) => row.ours?.status !== "ok").map((row) => row.task);
  if (ours.length > 0) lines.push(`Our own rows without a result: ${ours.join(", ")}.`);
  return lines;
}

function operations(rows: readonly PeerRow[]): string[] {
  return [...new Set(rows.map((row) => row.operation))];
}

function speedTable(operation: string, rows: readonly PeerRow[]): Table {
  return {
    title: operation,
    columns: [
      { name: "case" },
      right("ours (ms)"),
      { name: "clock" },
      { name: "best WebGPU peer" },
      right("times faster"),
      right("95 % interval"),
      right("n"),
      right("than wasm (wall)"),
      right("bytes / leanest peer"),
      right("share of the roof"),
      right("target"),
      { name: "met on WebGPU" },
      { name: "met by all" },
    ],
    rows: rows.filter((row) => row.operation === operation).map((row): Value[] => {
      const best = row.speedups.find(isOnAdapter);
      const processor = row.speedups.find((item) => !isOnAdapter(item));
      const clock = best?.clock ?? row.clock;
      return [
        caseName(row),
        round(medianMs(row.ours, clock)),
        clockName(clock),
        best?.peer ?? "none works",
        round(best?.value ?? null),
        best ? interval(best) : null,
        best?.n ?? null,
        round(processor?.value ?? null),
        round(row.bytesShare),
        percent(row.roofline),
        row.target ? targetText(row.target) : null,
        verdict(row.metOnAdapter),
        verdict(row.met),
      ];
    }),
  };
}

function verdict(met: boolean | null): string | null {
  return met === null ? null : met ? "yes" : "**RED**";
}

function timeTable(rows: readonly PeerRow[], clock: PeerClock): Table {
  const names = libraryNames(rows).filter((name) =>
    clock === "wall-time" || name !== "onnxruntime-wasm"
  );
  return {
    title: clock === "gpu-time" ? "Median GPU time (ms)" : "Median wall time (ms)",
    columns: [{ name: "case" }, ...names.map(right), right("samples x runs, ours")],
    rows: rows.map((row) => {
      const cells = [row.ours, ...row.peers];
      const time = (name: string) =>
        round(medianMs(cells.find((cell) => cell?.variant === name), clock));
      const timing = row.ours?.timings[0];
      return [
        row.task,
        ...names.map(time),
        timing ? `${timing.samplesNs.length} x ${timing.number}` : null,
      ];
    }),
  };
}

function ledgerTable(rows: readonly PeerRow[]): Table {
  const names = libraryNames(rows).filter((name) => name !== "onnxruntime-wasm");
  return {
    title: "Peak MiB; dispatches; submissions",
    columns: [{ name: "case" }, ...names.map(right)],
    rows: rows.map((row) => [
      row.task,
      ...names.map((name) => {
        const cell = [row.ours, ...row.peers].find((item) => item?.variant === name);
        if (!cell?.memoryBytes) return null;
        const count = (metric: string) =>
          cell.metrics.find((item) => item.metric === metric)?.value ?? "-";
        const mebibytes = cell.memoryBytes.peak / 2 ** 20;
        return `${mebibytes.toPrecision(3)}; ${count("dispatches")}; ${count("submissions")}`;
      }),
    ]),
  };
}

function failureTable(rows: readonly PeerRow[]): Table {
  const cells = rows.flatMap((row) => [row.ours, ...row.peers]);
  return {
    title: "Failed, wrong or not offered",
    columns: [{ name: "case" }, { name: "library" }, { name: "status" }, { name: "reason" }],
    rows: cells.flatMap((cell) =>
      !cell || cell.status === "ok"
        ? []
        : [[cell.task, cell.variant, cell.status, cell.reasons.map((r) => r.message).join("; ")]]
    ),
  };
}

function libraryTable(result: RunBody): Table {
  const names = [...new Set(result.cells.map((cell) => cell.variant))];
  return {
    title: "Versions",
    columns: [{ name: "library" }, { name: "packages" }, { name: "backend" }],
    rows: names.map((name) => {
      const cell = result.cells.find((item) =>
        item.variant === name && item.implementation !== null
      );
      return [
        name,
        name === "ours"
          ? `${result.suite.name} ${result.suite.version}, commit ${
            result.source.commit ?? "unknown"
          }`
          : PEER_PACKAGES[name as PeerName].map((item) => `${item.name}@${item.version}`).join(
            ", ",
          ),
        cell?.implementation?.peer?.backend ?? "webgpu",
      ];
    }),
  };
}

function noteTable(rows: readonly PeerRow[]): Table {
  const seen = new Map<string, Set<string>>();
  for (const cell of rows.flatMap((row) => [row.ours, ...row.peers])) {
    for (const note of cell?.notes ?? []) {
      const key = JSON.stringify([cell!.variant, note]);
      seen.set(key, (seen.get(key) ?? new Set()).add(String(cell!.params.operation)));
    }
  }
  return {
    title: "Remarks",
    columns: [{ name: "library" }, { name: "operations" }, { name: "remark" }],
    rows: [...seen].map(([key, where]) => {
      const [library, note] = JSON.parse(key) as [string, string];
      return [library, [...where].join(", "), note];
    }),
  };
}

function chart(rows: readonly PeerRow[]): NonNullable<Section["charts"]> {
  const series = (name: string, of: (row: PeerRow) => Speedup | undefined) => ({
    name,
    points: rows.flatMap((row) => {
      const found = of(row);
      return found ? [{ x: row.task, y: found.value, low: found.low, high: found.high }] : [];
    }),
  });
  const all = [
    series("than the best WebGPU peer", ({ speedups }) => speedups.find(isOnAdapter)),
    series("than wasm on the processor", ({ speedups }) => speedups.find((s) => !isOnAdapter(s))),
  ].filter(({ points }) => points.length > 0);
  if (all.length === 0) return [];
  return [{
    id: "times-faster",
    title: "Times faster",
    mark: "dot",
    x: { label: "case", scale: "category" },
    y: { label: "times faster", scale: "log" },
    series: all,
    references: [{ axis: "y", value: 1, label: "equal" }],
  }];
}

function libraryNames(rows: readonly PeerRow[]): string[] {
  return [...new Set(["ours", ...rows.flatMap(({ peers }) => peers.map((cell) => cell.variant))])];
}

function caseName({ task, operation }: PeerRow): string {
  return task.slice(operation.length + 1);
}

function targetText({ speedup, bytesShare }: Target): string {
  const bytes = bytesShare === null ? "" : `, bytes <= 1/${Math.round(1 / bytesShare)}`;
  return `>= ${speedup}${bytes}`;
}

function interval({ low, high }: Speedup): string | null {
  return low === null || high === null ? null : `${low.toPrecision(3)} to ${high.toPrecision(3)}`;
}

function clockName(clock: string): string {
  return clock === "gpu-time" ? "GPU" : "wall";
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}

function percent(value: number | null): string | null {
  return value === null ? null : `${(100 * value).toPrecision(2)} %`;
}
