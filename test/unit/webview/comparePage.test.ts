import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JobKey, JobOptions, Jobs } from "../../../src/base/ports";
import { msgpackSerialize } from "../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../src/formats/flaxMsgpack/tree";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { ModelStore } from "../../../src/store/modelStore";
import { float32s } from "../../fixtures/flaxTrees";
import { draftOf, tempFolder } from "../store/storeKit";
import {
  closeScreens,
  inspectScreen,
  openComparison,
  startScreens,
  textOf,
  unexpected,
  untilFocused,
  untilText,
} from "./pageScreens";

const { path: folder, remove } = tempFolder();
before(startScreens);
after(async () => {
  await closeScreens();
  remove();
});

const array = (...values: number[]): FlaxTree => float32s(values);

function flaxFile(name: string, tree: Readonly<Record<string, FlaxTree>>): { kind: "file"; path: string } {
  const path = join(folder, name);
  writeFileSync(path, msgpackSerialize(new Map(Object.entries(tree))));
  return { kind: "file", path };
}

const older = { step: 3n, bias: array(1, 2), kernel: array(0.5, -0.25), gone: array(1, 1, 1), same: array(9) };
const newer = { step: 4n, bias: array(1, 2.5), kernel: array(7.5, -0.25), came: array(1, 2, 3, 4), same: array(9) };

test("what differs is listed by the size of the change, and a row says all about it", async () => {
  const refs = { a: flaxFile("older.msgpack", older), b: flaxFile("newer.msgpack", newer) };
  await using rig = await openComparison(refs);
  const { page } = rig;
  await page.getByTestId("compare-row-0").getByText("kernel").waitFor();
  await untilText(page.getByTestId("compare-verdict"), /3 tensors with other values · 1 removed · 1 added · 1 equal/);
  const rows = await Promise.all([0, 1, 2, 3, 4].map((row) => textOf(page.getByTestId(`compare-row-${row}`))));
  assert.deepEqual(
    rows.map((row) => row.split(/\s+/)[0]),
    ["kernel", "bias", "step", "gone", "came"],
  );
  assert.match(rows[0] ?? "", /^kernel\s+values\s+7\s+7\s+0\.9333\s+1 of 2$/);
  await untilText(page.getByTestId("compare-details"), /\[0\]\s+0\.5 → 7\.5/);
  assert.match(rows[2] ?? "", /^step\s+3 → 4/);
  await untilText(page.locator("[aria-sort=descending]"), /^Norm/);
  await page.getByTestId("compare-ulps").click();
  await page.getByTestId("compare-ulp-table").waitFor();
  await untilText(page.getByTestId("compare-ulp-table"), /0\s+1[\s\S]*2\^24 – 2\^25\s+1/);
  assert.deepEqual(unexpected(rig), []);
});

test("a row is chosen with the keyboard, and its details follow", async () => {
  const refs = { a: flaxFile("older.msgpack", older), b: flaxFile("newer.msgpack", newer) };
  await using rig = await openComparison(refs);
  const { page } = rig;
  await page.getByTestId("compare-row-0").getByText("kernel").waitFor();
  await page.getByTestId("compare-row-0").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.getByTestId("compare-details").getByText("step").waitFor();
  await untilFocused(page, "compare-row-2");
  await untilText(page.getByTestId("compare-figures"), /A\s*3\s*B\s*4/);
  await page.keyboard.press("End");
  await page.getByTestId("compare-details").getByText("came").waitFor();
});

test("equal files are told so, and files without a tensor in common, and what cannot be read", async () => {
  const a = flaxFile("older.msgpack", older);
  await using same = await openComparison({ a, b: a });
  await same.page.getByTestId("compare-verdict").getByText("They are the same.").waitFor();
  assert.equal(await same.page.getByTestId("compare-grid").count(), 0);
  await using other = await openComparison({ a, b: flaxFile("other.msgpack", { x: array(1, 2, 3, 4, 5, 6) }) });
  await other.page.getByTestId("compare-verdict").getByText("no tensor in common").waitFor();
  const broken = join(folder, "broken.msgpack");
  writeFileSync(broken, "\x81");
  await using failed = await openComparison({ a, b: { kind: "file", path: broken } });
  await failed.page.getByTestId("compare-error").waitFor();
  writeFileSync(broken, msgpackSerialize(new Map<string, FlaxTree>(Object.entries(older))));
  await failed.page.getByTestId("compare-again").click();
  await failed.page.getByTestId("compare-verdict").getByText("They are the same.").waitFor();
});

test("the comparison says how far it is, and is stopped and begun again", async () => {
  const refs = { a: flaxFile("older.msgpack", older), b: flaxFile("newer.msgpack", newer) };
  let held = true;
  const slow: Jobs = {
    async run<Input, Result>(job: JobKey<Input, Result>, input: Input, options: JobOptions = {}): Promise<Result> {
      options.onProgress?.({ doneBytes: 1024, totalBytes: 4096 });
      if (held && job.name === "compare") {
        await new Promise<void>((_, fail) =>
          options.signal?.addEventListener("abort", () => fail(new DOMException("stopped", "AbortError"))),
        );
      }
      return inProcessJobs().run(job, input, options);
    },
  };
  await using rig = await openComparison(refs, {}, slow);
  const { page } = rig;
  await page.getByTestId("compare-running").getByText("1.00 KiB of 4.00 KiB read").waitFor();
  await page.getByTestId("compare-stop").focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("compare-cancelled").getByText("stopped").waitFor();
  // Each button goes with what it was pressed for, and the keyboard goes on from what takes its place.
  await untilFocused(page, "compare-again");
  await page.keyboard.press("Enter");
  await untilFocused(page, "compare-stop");
  await page.keyboard.press("Enter");
  await untilFocused(page, "compare-again");
  held = false;
  await page.keyboard.press("Enter");
  await page.getByTestId("compare-row-0").waitFor();
  await untilFocused(page, "compare-row-0");
});

test("thousands of rows are drawn as they come into sight", async () => {
  const many = (offset: number): Record<string, FlaxTree> =>
    Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`layer_${i}`, array(i, i + offset * i)]));
  await using rig = await openComparison({
    a: flaxFile("many-a.msgpack", many(1)),
    b: flaxFile("many-b.msgpack", many(2)),
  });
  const { page } = rig;
  await page.getByTestId("compare-row-0").getByText("layer_2999").waitFor();
  assert.ok((await page.locator("[data-row]").count()) < 100);
  await page.getByTestId("compare-row-0").focus();
  await page.keyboard.press("End");
  await page.getByTestId("compare-row-2998").getByText("layer_1", { exact: true }).waitFor();
});

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: a comparison of two versions without an accessibility violation`, async () => {
      const store = new ModelStore(join(folder, `home-${theme}-${width}`));
      for (const [version, tree] of [
        ["v1", older],
        ["v2", newer],
      ] as const) {
        const labels = { stage: version === "v1" ? "dev" : "prod", owner: "vision" };
        const from = flaxFile(`${version}.msgpack`, tree).path;
        const notes: [string, string] = [
          "notes",
          version === "v1" ? "First." : "Trained longer, with twice the data and a lower rate.",
        ];
        await store.save(draftOf("mnist", version, { labels, metadata: new Map([notes]) }), [
          { from, to: "saved_model.msgpack" },
        ]);
      }
      const ref = (tag: string) => ({ kind: "model", home: store.home, tag }) as const;
      await using rig = await openComparison({ a: ref("mnist:v1"), b: ref("mnist:v2") }, { theme, width });
      await rig.page.getByTestId("compare-row-0").getByText("kernel").waitFor();
      await rig.page.getByTestId("compare-ulps").click();
      await rig.page.getByTestId("compare-ulp-table").waitFor();
      await rig.page
        .getByTestId("compare-verdict")
        .getByText(/^3 tensors with other .* equal · 3 differences in/)
        .waitFor();
      const facts = await textOf(rig.page.getByTestId("compare-facts"));
      assert.match(facts, /Label stage\s+dev\s+prod[\s\S]*File saved_model\.msgpack\s+flax MessagePack, \d+ B/);
      await inspectScreen(rig, `${theme}-${width}-compare`);
      assert.deepEqual(unexpected(rig), []);
    });
  }
}
