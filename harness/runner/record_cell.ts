import { z } from "zod";
import { type Cell, type CellInput, cellSchema } from "../schema/cell.ts";

/**
 * Checks and completes a row. A metric or curve value that is not finite becomes null and the row
 * failed, with the reason: JSON has no NaN, and a lost value must not look like a missing one.
 *
 * @throws TypeError for a row that does not fit the format.
 */
export function completeCell(task: string, input: CellInput): Cell {
  const lost: string[] = [];
  const finite = (value: number | null, name: string) => {
    if (value === null || Number.isFinite(value)) return value;
    lost.push(`${name} is ${value}`);
    return null;
  };
  const metrics = input.metrics?.map((metric) => ({
    ...metric,
    value: finite(metric.value, metric.metric),
    slices: metric.slices && Object.fromEntries(
      Object.entries(metric.slices).map((
        [name, value],
      ) => [name, finite(value, `${metric.metric} of ${name}`)]),
    ),
  }));
  const curves = input.curves?.map((curve) => ({
    ...curve,
    points: curve.points.map(([x, y]): [number, number | null] => [
      x,
      finite(y, `${curve.name} at ${x}`),
    ]),
  }));
  const reasons = [...input.reasons ?? []];
  let status = input.status;
  if (lost.length > 0) {
    const more = lost.length > 3 ? ` and ${lost.length - 3} more` : "";
    reasons.push({ code: "not-finite", message: lost.slice(0, 3).join(", ") + more });
    if (status === undefined || status === "ok") status = "failed";
  }
  const checked = cellSchema.safeParse({ ...input, task, status, reasons, metrics, curves });
  if (!checked.success) {
    throw new TypeError(
      `Cannot record a row of ${input.variant}: ${z.prettifyError(checked.error)}`,
    );
  }
  return checked.data;
}
