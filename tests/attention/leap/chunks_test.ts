import assert from "node:assert/strict";
import { type Chunks, chunksFor } from "../../../attention/leap/chunks.ts";

Deno.test("chunksFor() cuts every window into a suffix, whole chunks and a prefix", () => {
  for (const T of [1, 2, 17, 64, 65, 130, 1000]) {
    for (const preferred of [1, 5, 16, 64]) {
      for (let window = 1; window <= T + 1; window++) {
        const { length, count, windowed, whole }: Chunks = chunksFor(T, window, preferred);
        assert.ok(length >= 1 && length <= preferred && count === Math.ceil(T / length));
        assert.equal(windowed, window < T);
        if (!windowed) continue;
        // The suffix and the prefix of the first token of a chunk cover less than two chunks more than the whole ones.
        const rest = window - (whole + 1) * length;
        assert.ok(whole >= 0 && rest >= 0 && rest < length);
      }
    }
  }
});
