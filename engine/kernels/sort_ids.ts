import { type Kernel, linearGrid, linearMain, read, u32, write } from "../kernel.ts";

/** Ids that one pass sorts by counting smaller ones; longer lists are merged from such runs. */
export const RUN_LENGTH = 64;

/**
 * Sorts runs of RUN_LENGTH ids: pairs [count] of (id clamped to [0, rows), position), each run ascending and stable. An id's place in
 * its run is the number of ids before it, so no thread waits for another and the order is always the same.
 */
export function sortRunsKernel(count: number, rows: number, workgroupSize: number): Kernel {
  return {
    name: "sort_ids_runs",
    key: `${workgroupSize}`,
    bindings: [read("ids", "vec4u"), write("pairs", "vec2u")],
    uniforms: [u32("count", count), u32("last", rows - 1)],
    grid: linearGrid(Math.ceil(count / workgroupSize)),
    body: () =>
      `fn clamped(four: vec4u) -> vec4u {
  return vec4u(clamp(bitcast<vec4i>(four), vec4i(0), vec4i(i32(u.last))));
}
${linearMain(workgroupSize)}
  if (i < u.count) {
    let id = clamped(ids[i / 4u])[i % 4u];
    let start = i - i % ${RUN_LENGTH}u;
    let end = min(start + ${RUN_LENGTH}u, u.count);
    var before = vec4u();
    for (var j = start; j < end; j += 4u) {
      let other = clamped(ids[j / 4u]);
      let position = vec4u(j, j + 1u, j + 2u, j + 3u);
      let smaller = (other < vec4u(id)) | ((other == vec4u(id)) & (position < vec4u(i)));
      before += select(vec4u(0u), vec4u(1u), smaller & (position < vec4u(end)));
    }
    pairs[start + before.x + before.y + before.z + before.w] = vec2u(id, i);
  }
}`,
  };
}

/** Merges neighbouring sorted runs of `length` pairs: each pair finds its place by binary search in the other run. */
export function mergeRunsKernel(count: number, length: number, workgroupSize: number): Kernel {
  return {
    name: "sort_ids_merge",
    key: `${workgroupSize}`,
    bindings: [read("pairs", "vec2u"), write("merged", "vec2u")],
    uniforms: [u32("count", count), u32("runLength", length)],
    grid: linearGrid(Math.ceil(count / workgroupSize)),
    body: () =>
      `${linearMain(workgroupSize)}
  if (i < u.count) {
    let pair = pairs[i];
    let run = i / u.runLength;
    let first = min((run ^ 1u) * u.runLength, u.count);
    // Equal ids of the left run come first: ids are below 2^31, so adding one to the bound cannot overflow.
    let bound = pair.x + (run & 1u);
    var low = first;
    var high = min(first + u.runLength, u.count);
    while (low < high) {
      let middle = (low + high) / 2u;
      if (pairs[middle].x < bound) { low = middle + 1u; } else { high = middle; }
    }
    merged[(run & ~1u) * u.runLength + (i - run * u.runLength) + (low - first)] = pair;
  }
}`,
  };
}

/** starts [rows + 1]: where the pairs of each row begin in the sorted list; the last entry is `count`. */
export function segmentStartsKernel(count: number, rows: number, workgroupSize: number): Kernel {
  return {
    name: "segment_starts",
    key: `${workgroupSize}`,
    bindings: [read("pairs", "vec2u"), write("starts", "u32")],
    uniforms: [u32("count", count), u32("entries", rows + 1)],
    grid: linearGrid(Math.ceil((rows + 1) / workgroupSize)),
    body: () =>
      `${linearMain(workgroupSize)}
  if (i < u.entries) {
    var low = 0u;
    var high = u.count;
    while (low < high) {
      let middle = (low + high) / 2u;
      if (pairs[middle].x < i) { low = middle + 1u; } else { high = middle; }
    }
    starts[i] = low;
  }
}`,
  };
}
