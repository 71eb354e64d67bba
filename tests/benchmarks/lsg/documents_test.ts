import assert from "node:assert/strict";
import { LONG_TASKS } from "../../../benchmarks/lsg/config.ts";
import { openDocuments } from "../../../benchmarks/lsg/documents.ts";
import { presets } from "../../../benchmarks/lsg/presets.ts";
import type { TaskContext } from "../../../harness/contract.ts";
import { MemoryStore } from "../../data/memory_store.ts";

const context = { host: new MemoryStore(), seed: () => 5 } as unknown as TaskContext;

for (const name of LONG_TASKS) {
  Deno.test(`openDocuments() gives as many ${name} as asked, in every epoch`, async () => {
    const task = presets.smoke.quality!.tasks.find((task) => task.name === name)!;
    const { train, test, source, classes } = await openDocuments(context, task);
    assert.deepEqual([train(0).length, train(3).length], [task.trainLimit, task.trainLimit]);
    assert.equal(test.length, task.testLimit);
    assert.deepEqual(train(1), train(1));
    assert.match(source.sha256!, /^[0-9a-f]{64}$/);
    assert.equal(source.standIn, true);
    const ids = new Set(test.map(({ id }) => id));
    assert.ok(train(0).every(({ id }) => !ids.has(id)));
    if (name === "union-periods") return assert.equal(train(1), train(0));
    assert.notDeepEqual(train(1), train(0));
    if (name === "licence-pairs") return assert.equal(classes.length, 2);
    // Each test question stands once in every third.
    const places = Map.groupBy(test, (d) => "position" in d ? d.question + d.answer : "");
    for (const of of places.values()) {
      assert.deepEqual(of.map((d) => "position" in d && d.position), ["early", "middle", "late"]);
    }
  });
}
