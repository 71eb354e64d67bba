import assert from "node:assert/strict";
import { readCounts, testArguments, testVerdict } from "../../tools/test.ts";

Deno.test("readCounts() reads the closing line of deno test, with and without colours", () => {
  assert.deepEqual(readCounts("ok | 35 passed | 0 failed (1s)"), {
    passed: 35,
    failed: 0,
    ignored: 0,
  });
  assert.deepEqual(readCounts("FAILED | 3 passed (2 steps) | 1 failed | 4 ignored (1s)"), {
    passed: 3,
    failed: 1,
    ignored: 4,
  });
  assert.deepEqual(
    readCounts("\x1b[0m\x1b[32mok\x1b[0m | 2 passed | 0 failed \x1b[0m\x1b[38;5;245m(1s)\x1b[0m"),
    { passed: 2, failed: 0, ignored: 0 },
  );
});

Deno.test("readCounts() passes over every other line", () => {
  for (const line of ["", "1 passed", "a test ... ok (1ms)", "running 7 tests from ./x_test.ts"]) {
    assert.equal(readCounts(line), undefined, line);
  }
});

Deno.test("testArguments() takes out the adapter and adds the default folder", () => {
  assert.deepEqual(testArguments([]), ["tests/"]);
  assert.deepEqual(testArguments(["--adapter=bundled"]), ["tests/"]);
  assert.deepEqual(testArguments(["--adapter", "bundled", "--filter=x"]), ["--filter=x", "tests/"]);
  assert.deepEqual(testArguments(["tests/cli"]), ["tests/cli"]);
});

Deno.test("testVerdict() forgives a crash at exit only where nothing failed", () => {
  const counts = (failed: number) => ({ passed: 3, failed, ignored: 0 });
  assert.equal(testVerdict(134, counts(0)), 0);
  assert.equal(testVerdict(139, counts(0)), 0);
  assert.equal(testVerdict(139, counts(1)), 139);
  assert.equal(testVerdict(1, counts(0)), 1, "an error outside any test");
  assert.equal(testVerdict(130, counts(0)), 130, "Ctrl-C");
  assert.equal(testVerdict(0, counts(0)), 0);
});
