import { mulScalar } from "../engine/mod.ts";
import type { ParameterSet } from "../engine/mod.ts";
import { AdamW } from "./adamw.ts";

/** Where the moments of a parameter of a grown model come from; undefined where it is new. */
export type MomentOrigin = (
  name: string,
) => { readonly from: string; readonly share: number } | undefined;

/**
 * The optimizer of a model that has grown out of another. The moments go with the parameters: a copy that has `share` of the uses of the old
 * parameter gets about that share of its gradient, so the first moment is multiplied by it and the second by its square. New parameters start
 * at zero. The number of steps goes on.
 *
 * @param previous Optimizer of the model before.
 * @param parameters Parameters of the grown model.
 * @param origin Maps its parameter names to those of the model before.
 */
export function growOptimizer(
  previous: AdamW,
  parameters: ParameterSet,
  origin: MomentOrigin,
): AdamW {
  const { gpu } = parameters;
  const grown = new AdamW(parameters, previous.options);
  grown.steps = previous.steps;
  const old = previous.moments();
  const fresh = grown.moments();
  gpu.scope(() => {
    for (const [name, { first, second }] of fresh) {
      const inherited = origin(name);
      // A parameter that was frozen before has no moments to hand on.
      const moments = inherited && old.get(inherited.from);
      if (!moments) continue;
      gpu.copy(mulScalar(moments.first, inherited.share), first);
      gpu.copy(mulScalar(moments.second, inherited.share ** 2), second);
    }
  });
  for (const views of [old, fresh]) {
    for (const { first, second } of views.values()) {
      first.dispose();
      second.dispose();
    }
  }
  return grown;
}
