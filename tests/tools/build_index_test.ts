import assert from "node:assert/strict";
import { buildIndex, type IndexEntry, indexPage } from "../../tools/build_index.ts";

/** As much of a result as the page reads. */
function entry(name: string, kind: "hardware" | "software"): IndexEntry {
  return {
    path: `${name}/run.json`,
    result: {
      benchmark: { name: "leap", title: "LEAP <b>" },
      preset: "smoke",
      complete: true,
      endedAt: "2026-11-22T10:00:00.000Z",
      system: { machine: name, systemName: name, accelerator: { class: kind } },
      report: { headline: ["A & B"], sections: [] },
    } as unknown as IndexEntry["result"],
  };
}

Deno.test("indexPage() lists hardware and software apart and escapes texts", () => {
  const html = indexPage([entry("pipe", "software"), entry("gpu", "hardware")]);
  const [hardware, software] = html.split("<h2>Software adapters</h2>");
  assert.match(hardware, /gpu\/run\.json/);
  assert.doesNotMatch(hardware, /pipe\/run\.json/);
  assert.match(software, /pipe\/run\.json/);
  assert.match(html, /LEAP &lt;b&gt;/);
  assert.match(html, /A &amp; B/);
});

Deno.test("indexPage() links the Markdown report where there is one", () => {
  const html = indexPage([entry("gpu", "hardware")], [], new Set(["gpu/run.md"]));
  assert.match(html, /href="results\/gpu\/run\.md"/);
});

Deno.test("buildIndex() works without results and lists a malformed file as such", async () => {
  const root = await Deno.makeTempDir();
  try {
    assert.deepEqual(await buildIndex(root, `${root}/site`), { entries: 0, skipped: [] });
    await Deno.mkdir(`${root}/results/m`, { recursive: true });
    await Deno.writeTextFile(`${root}/results/m/broken.json`, "{");
    await Deno.writeTextFile(`${root}/results/m/machine.json`, `{"schemaVersion":1}`);
    const { entries, skipped } = await buildIndex(root, `${root}/site`);
    assert.equal(entries, 0);
    assert.deepEqual(skipped.map(({ path }) => path), ["m/broken.json"]);
    assert.match(await Deno.readTextFile(`${root}/site/index.html`), /m\/broken\.json/);
    assert.equal(await Deno.readTextFile(`${root}/site/results/m/broken.json`), "{");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
