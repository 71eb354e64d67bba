import { equal } from "node:assert/strict";
import fc from "fast-check";
import { sha256, sha256Sync } from "../../data/sha256.ts";

Deno.test("sha256Sync() gives the digests of Web Crypto at every padding length", async () => {
  for (let length = 0; length < 200; length++) {
    const text = "é".repeat(length % 7) + "x".repeat(length);
    equal(sha256Sync(text), await sha256(new TextEncoder().encode(text)));
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 500 }), async (text) => {
      equal(sha256Sync(text), await sha256(new TextEncoder().encode(text)));
    }),
    { seed: 1 },
  );
});
