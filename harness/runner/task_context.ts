import type { Gpu } from "../../engine/mod.ts";
import { sha256Hex } from "../canonical_json.ts";
import type { TaskContext } from "../contract.ts";
import { type Host, joinPath } from "../host.ts";
import { measure } from "../measure.ts";
import {
  type Attachment,
  type Audit,
  auditSchema,
  type Calibration,
  type Cell,
  type DataRecord,
  dataSchema,
  type Task,
} from "../result_schema.ts";
import { hashText } from "../statistics/mod.ts";
import { checkName, createArtifactStore } from "./artifact_store.ts";
import { completeCell } from "./record_cell.ts";

/** Elements the calibrator kernel writes: enough to fill a GPU, little enough to be quick. */
const CALIBRATOR_ELEMENTS = 2 ** 20;

export interface ContextSetting {
  readonly benchmark: string;
  readonly gpu: Gpu;
  readonly host: Host;
  readonly task: Task;
  readonly folder: string;
  readonly baseSeed: number;
  readonly session: number;
  readonly calibration: Calibration | null;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly progress: (fraction: number, note: string) => void;
}

/** What a task has handed in. */
export interface Recorded {
  readonly cells: Cell[];
  readonly audits: Audit[];
  readonly data: DataRecord[];
  readonly seeds: Record<string, number>;
  readonly attachments: Attachment[];
}

/** The context of one task and the lists it fills. */
export function createTaskContext(
  setting: ContextSetting,
): { context: TaskContext; recorded: Recorded } {
  const { gpu, host, task, folder, calibration, signal } = setting;
  const recorded: Recorded = { cells: [], audits: [], data: [], seeds: {}, attachments: [] };
  const seed = (stream: string) =>
    recorded.seeds[stream] = deriveSeed(setting.baseSeed, setting.benchmark, stream);
  const context: TaskContext = {
    gpu,
    host,
    task,
    calibration,
    signal,
    seed,
    log: setting.log,
    progress: (fraction, note = "") => setting.progress(fraction, note),
    record: (cell) => void recorded.cells.push(completeCell(task.id, cell)),
    audit: (audit) => void recorded.audits.push(auditSchema.parse(audit)),
    data: (input) => void addData(recorded.data, dataSchema.parse(input)),
    artifacts: createArtifactStore(host, joinPath(folder, "artifacts")),
    async attach(name, bytes, mediaType) {
      await host.writeFileAtomic(joinPath(folder, "attachments", checkName(name)), bytes);
      const attachment = {
        name,
        mediaType,
        bytes: bytes.byteLength,
        sha256: await sha256Hex(bytes),
      };
      recorded.attachments.push(attachment);
      return attachment;
    },
    measure: (cases, options) =>
      measure(
        {
          timer: gpu,
          empty: () => void gpu.full([1], 0),
          calibrator: () => void gpu.full([CALIBRATOR_ELEMENTS], 1),
          seed: seed(`measure/${task.id}`),
          session: setting.session,
          timestampQuantumNs: calibration?.timestampQuantumNs,
          signal,
        },
        cases,
        options,
      ),
  };
  return { context, recorded };
}

/** Seed of a stream: a function of its arguments only, never of the order of calls. */
export function deriveSeed(base: number, benchmark: string, stream: string): number {
  return hashText(`${base}/${benchmark}/${stream}`);
}

/** Adds a record; the same data set and split again adds to its reads. */
export function addData(list: DataRecord[], record: DataRecord): void {
  const at = list.findIndex((item) => item.id === record.id && item.split === record.split);
  if (at < 0) {
    list.push({ ...record });
    return;
  }
  if (list[at].sha256 !== record.sha256) {
    throw new TypeError(
      `Cannot record data ${record.id} (${record.split}): its SHA-256 changed during the run`,
    );
  }
  list[at] = { ...list[at], reads: list[at].reads + record.reads };
}
