import { type Kernel, read, u32, write } from "../kernel.ts";

/** Threads of a row; each counts one run of neighbouring tokens. */
const WORKGROUP = 64;

/** padId plus the number of tokens of ids [rows, T] up to each that are not padId; padId at padding. One workgroup a row. */
export function paddedPositionsKernel(rows: number, T: number, padId: number): Kernel {
  return {
    name: "padded_positions",
    key: "",
    bindings: [read("ids", "i32"), write("y", "i32")],
    uniforms: [u32("T", T), u32("padId", padId)],
    grid: [rows, 1, 1],
    body: () =>
      `var<workgroup> counts: array<i32, ${WORKGROUP}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let pad = i32(u.padId);
  let start = workgroup.x * u.T;
  let run = (u.T + ${WORKGROUP - 1}u) / ${WORKGROUP}u;
  let first = min(u.T, thread * run);
  let end = min(u.T, first + run);
  var count = 0;
  for (var t = first; t < end; t++) { count += select(1, 0, ids[start + t] == pad); }
  counts[thread] = count;
  workgroupBarrier();
  var position = pad;
  for (var k = 0u; k < thread; k++) { position += counts[k]; }
  for (var t = first; t < end; t++) {
    let isPad = ids[start + t] == pad;
    position += select(1, 0, isPad);
    y[start + t] = select(position, pad, isPad);
  }
}`,
  };
}
