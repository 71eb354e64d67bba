import assert from "node:assert/strict";
import { type EncodedText, unseenDocuments } from "../../../benchmarks/truncation/prepare.ts";

function document(id: string, ids: number[], text: string): EncodedText {
  return { encoded: { id, ids: Int32Array.from(ids), label: 0 }, text };
}

Deno.test("unseenDocuments() leaves out test documents that read like a training document", () => {
  const train = [document("a", [1, 5, 6, 2], "Five six"), document("b", [1, 7, 2], "seven")];
  const test = [
    document("c", [1, 5, 6, 2], "five SIX"),
    document("d", [1, 5, 2], "five"),
    document("e", [1, 56, 2], "fifty-six"),
  ];
  assert.deepEqual(unseenDocuments(test, train).map(({ encoded }) => encoded.id), ["d", "e"]);
});
