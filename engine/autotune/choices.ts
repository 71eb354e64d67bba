import type { Gpu } from "../gpu.ts";
import type { Candidate, Tunable } from "./candidate.ts";

/** Key of a tuned choice in `gpu.choices`; a pin has the operation's name alone. */
export function choiceKey<P>(operation: Tunable<P>, problem: P): string {
  return `${operation.name} ${operation.bucketOf(problem)}`;
}

/**
 * Candidate to use for a problem: the pinned one, else the tuned one, else the default. Costs no string while nothing was pinned or tuned.
 *
 * @throws {RangeError} If `gpu.choices` names a candidate that does not exist.
 */
export function chosenCandidate<P, C extends Candidate<P>>(
  gpu: Gpu,
  operation: Tunable<P, C>,
  problem: P,
): C {
  let name: string | undefined;
  if (gpu.choices.size > 0) {
    name = gpu.choices.get(operation.name) ?? gpu.choices.get(choiceKey(operation, problem));
  }
  return candidateNamed(operation, name ?? operation.defaultFor(gpu.info, problem));
}

/** The candidate of that name. */
export function candidateNamed<C extends { readonly name: string }>(
  operation: { readonly name: string; readonly candidates: readonly C[] },
  name: string,
): C {
  for (const candidate of operation.candidates) if (candidate.name === name) return candidate;
  throw new RangeError(
    `Cannot run ${operation.name}: candidate is "${name}", expected one of ` +
      operation.candidates.map((c) => `"${c.name}"`).join(", "),
  );
}

/** Uses one candidate for every problem of an operation, whatever was tuned; `undefined` takes the pin away. */
export function pinChoice<P>(gpu: Gpu, operation: Tunable<P>, name: string | undefined): void {
  if (name === undefined) gpu.choices.delete(operation.name);
  else gpu.choices.set(operation.name, candidateNamed(operation, name).name);
}
