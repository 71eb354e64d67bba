import { type Kernel, linearGrid, linearMain, read, u32, write } from "../../../engine/mod.ts";
import { type LeapProblem, WEIGHT_SUM_EPSILON } from "../options.ts";

const WORKGROUP = 64;

/**
 * importance [B, H, T] from e and z [B, T, H]: e_i / z_query inside the query's window and 0 outside it, or e_i / z_i when `query`
 * is T.
 */
export function leapImportanceKernel(problem: LeapProblem, query: number): Kernel {
  const { B, T, H, hasKey, window } = problem;
  const inverse = hasKey
    ? `1.0 / (z[at] + ${WEIGHT_SUM_EPSILON})`
    : "select(0.0, 1.0 / z[at], z[at] > 0.0)";
  return {
    name: "leap_importance",
    key: hasKey ? "key" : "",
    bindings: [read("e"), read("z"), write("y")],
    uniforms: [
      u32("count", B * T * H),
      u32("time", T),
      u32("heads", H),
      u32("window", window),
      u32("query", query),
    ],
    grid: linearGrid(Math.ceil(B * T * H / WORKGROUP)),
    body: () =>
      `${linearMain(WORKGROUP)}
  if (i >= u.count) { return; }
  let t = i % u.time;
  let row = i / u.time;
  let own = u.query == u.time;
  let seen = own || (t <= u.query && t + u.window > u.query);
  let at_time = (row / u.heads) * u.time;
  let at = (at_time + select(u.query, t, own)) * u.heads + row % u.heads;
  y[i] = select(0.0, e[(at_time + t) * u.heads + row % u.heads] * ${inverse}, seen);
}`,
  };
}
