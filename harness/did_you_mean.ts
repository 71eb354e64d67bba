import { findSimilar } from "@optique/core/suggestion";

/**
 * The tail of an error message about an unknown name: near names, or all of them where they are
 * few, or nothing.
 */
export function didYouMean(given: string, candidates: readonly string[]): string {
  const near = findSimilar(given, candidates, { maxDistance: 3, maxSuggestions: 3 });
  if (near.length > 0) return `; did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`;
  if (candidates.length === 0) return "";
  const shown = candidates.slice(0, 20).join(", ");
  return `; there is ${shown}${candidates.length > 20 ? ", ..." : ""}`;
}
