/** The part of a report that says where and how: machine, roof, data, method. */
import type { RunResult } from "../result_schema.ts";
import { median } from "../statistics/mod.ts";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatRate,
  formatShare,
} from "./format_value.ts";
import { markdownTable } from "./markdown_table.ts";

/** Machine, driver, software and revision. */
export function environmentTable(result: RunResult): string {
  const { system, environment, source, suite } = result;
  const { accelerator } = system;
  const rows: [string, string | null][] = [
    ["system", system.systemName],
    ["adapter", `${accelerator.description || accelerator.device} (${accelerator.class})`],
    ["adapter vendor, architecture", `${accelerator.vendor} ${accelerator.architecture}`.trim()],
    ["driver, backend", [accelerator.driver, accelerator.backend].filter(Boolean).join(", ")],
    [
      "device memory",
      accelerator.memoryCapacityBytes === null
        ? null
        : formatBytes(accelerator.memoryCapacityBytes),
    ],
    ["features", accelerator.features.join(", ")],
    ["operating system", `${system.operatingSystem} (${system.architecture})`],
    [
      "processor",
      system.hostProcessorModelName &&
      `${system.hostProcessorModelName}, ${system.hostProcessorCores ?? "?"} threads`,
    ],
    [
      "host memory",
      system.hostMemoryCapacityBytes === null ? null : formatBytes(system.hostMemoryCapacityBytes),
    ],
    ["runtime", `${environment.runtime} ${environment.runtimeVersion}, V8 ${environment.v8}`],
    ["suite", `${suite.name} ${suite.version}`],
    [
      "commit",
      source.commit && `${source.commit}${source.dirty ? " with uncommitted changes" : ""}`,
    ],
    ["lock file SHA-256", environment.lockSha256],
    [
      "variables",
      Object.entries(environment.variables).sort().map(([key, value]) => `${key}=${value}`)
        .join(", "),
    ],
    ["notes", [system.hwNotes, system.swNotes].filter(Boolean).join("; ")],
  ];
  return markdownTable(
    [{ name: "what" }, { name: "value" }],
    rows.filter((row): row is [string, string] => Boolean(row[1])),
  );
}

/** The measured roof, before and after. */
export function calibrationTable(result: RunResult): string {
  if (result.calibration.length === 0) return "";
  const table = markdownTable(
    [
      { name: "when" },
      { name: "session", align: "right" },
      { name: "f32 arithmetic", align: "right" },
      { name: "copy bandwidth", align: "right" },
      { name: "one more dispatch", align: "right" },
      { name: "one submission", align: "right" },
      { name: "clock step", align: "right" },
      { name: "clock" },
    ],
    result.calibration.map((item) => [
      item.at,
      String(item.session),
      `${formatRate(median(item.f32FlopsPerSecond), "FLOP/s")} (n = ${item.matmulSize})`,
      formatRate(median(item.copyBytesPerSecond), "B/s"),
      formatDuration(item.launchNs.length > 0 ? median(item.launchNs) : null, 3),
      formatDuration(item.submitNs.length > 0 ? median(item.submitNs) : null, 3),
      formatDuration(item.timestampQuantumNs, 3),
      item.clock === "wall" ? "wall" : "GPU",
    ]),
  );
  const { drift } = result;
  if (drift === null) return table;
  const verdict = drift.exceeded
    ? "**more than the limit: do not trust small differences between timings of this run**"
    : "within the limit";
  return `${table}\n\nFrom first to last: arithmetic ${formatShare(drift.f32)}, bandwidth ` +
    `${formatShare(drift.copy)}; limit ${formatShare(drift.limit)}, ${verdict}.`;
}

/** Data sets with their checksums. */
export function dataTable(result: RunResult): string {
  if (result.data.length === 0) return "";
  return markdownTable(
    [
      { name: "data" },
      { name: "split" },
      { name: "origin" },
      { name: "licence" },
      { name: "tokens", align: "right" },
      { name: "reads", align: "right" },
      { name: "SHA-256" },
      { name: "remarks" },
    ],
    result.data.map((record) => [
      record.title || record.id,
      record.split,
      [record.origin, record.revision].filter(Boolean).join(" "),
      record.licence,
      record.tokens === null ? "-" : String(record.tokens),
      String(record.reads),
      record.sha256.slice(0, 16),
      [record.standIn ? "**stands in for the source's data**" : "", record.note].filter(Boolean)
        .join("; ") || "-",
    ]),
  );
}

/** How the figures came about, with the policy in force. */
export function methodText(result: RunResult): string {
  const { method } = result;
  const seeds = Object.keys(result.seeds.used).length;
  const lines = [
    `Timing: each case was warmed up until its last ${method.WARMUP_WINDOW} runs showed no trend ` +
    `(at most ${method.WARMUP_MAX_RUNS}); then one sample of every case per block, in an order ` +
    `drawn anew for each block, until the 95 % interval of the median was narrower than ` +
    `${formatShare(method.RELATIVE_WIDTH)} of it, ${method.MAX_SAMPLES} samples were taken or ` +
    `${method.MAX_TIME_MS / 1000} s had passed, unless the benchmark set other limits. All ` +
    `samples are in the JSON file, in order and untrimmed; outliers are counted, not dropped.`,
    `Intervals: bootstrap (${method.BOOTSTRAP_RESAMPLES} resamples, fixed seed) for medians, Student's t ` +
    "for means over seeds, bootstrap over pairs for comparisons; p values by sign flips with " +
    "Holm's correction; equivalence only by two one-sided tests.",
    "Share of roof: time that the measured arithmetic rate or copy bandwidth would allow for the " +
    "analytic work, divided by the time taken.",
    `Seeds: ${seeds} streams derived from base seed ${result.seeds.base}; all are in the JSON file.`,
    `Sessions: ${
      result.sessions.map((item) =>
        `${item.session} from ${item.startedAt} to ${item.endedAt} (${item.end}, ` +
        `${item.tasks} tasks)`
      ).join("; ")
    }.`,
    `Configuration: \`${JSON.stringify(result.config)}\` (SHA-256 ` +
    `${result.configSha256.slice(0, 16)}).`,
    `Result: schema version ${result.schemaVersion}, content SHA-256 ` +
    `${result.contentSha256}, tier ${result.tier}, division ${result.division}.`,
  ];
  return lines.map((line) => `- ${line}`).join("\n");
}

/** First lines under the title. */
export function runLine(result: RunResult): string {
  const total = result.tasks.reduce((sum, task) => sum + (task.durationNs ?? 0), 0);
  const ok = result.tasks.filter((task) => task.status === "ok").length;
  const shard = result.shard ? `, shard ${result.shard.index} of ${result.shard.count}` : "";
  return `Run \`${result.runId}\`, benchmark \`${result.benchmark.name}\` version ` +
    `${result.benchmark.version}, preset \`${result.preset}\`${shard}, ` +
    `${ok} of ${result.tasks.length} tasks, ${formatNumber(total / 1e9)} s of work, ` +
    `started ${result.startedAt}.`;
}
