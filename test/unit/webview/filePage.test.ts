import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { Jobs } from "../../../src/base/ports";
import { archiveLookJob } from "../../../src/frameworks/archiveLook";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { exportModel } from "../../../src/store/archive/exportModel";
import { ModelStore } from "../../../src/store/modelStore";
import { modelYaml } from "../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../fixtures/rawTar";
import { safetensorsBytes, VECTORS } from "../../fixtures/safetensors";
import { tempFolder } from "../store/storeKit";
import { closeScreens, inspectScreen, openFile, startScreens, unexpected } from "./pageScreens";

const { path: folder, remove } = tempFolder();
const sample = resolve("media/sample-store/models");
const iris = join(folder, "iris.onnx");
const archive = join(folder, "digits-v1.bentomodel");

before(async () => {
  cpSync(join(sample, "iris_clf/v2/saved_model.onnx"), iris);
  const store = new ModelStore(join(folder, "home"));
  cpSync(sample, join(folder, "home/models"), { recursive: true });
  await exportModel(store, { tag: "digits:v1", destination: archive });
  await startScreens();
});
after(async () => {
  await closeScreens();
  remove();
});

test("a file shows what it is, its signature and its metadata, and is saved as a model from its head", async () => {
  await using file = await openFile(iris);
  const { page } = file.rig;
  await page.getByTestId("file-format").getByText("ONNX").waitFor();
  assert.equal(await page.getByTestId("file-name").textContent(), "iris.onnx");
  assert.match((await page.getByTestId("methods").textContent()) ?? "", /run.*float32/);
  assert.match((await page.getByTestId("about").textContent()) ?? "", /Format.*ONNX.*Size/);
  await page.getByTestId("file-save").click();
  await page.waitForFunction("true");
  assert.deepEqual(file.commands, [`saveModel ${iris}`]);
  assert.deepEqual(unexpected(file.rig), []);
});

test("the metadata of a safetensors file is edited from beside it; of other files and of shards it is not", async () => {
  const one = join(folder, "one.safetensors");
  writeFileSync(one, safetensorsBytes(`{"__metadata__":{"format":"pt"}}`));
  await using file = await openFile(one);
  const { page } = file.rig;
  await page.getByTestId("file-edit-metadata").click();
  await page.waitForFunction("true");
  assert.deepEqual(file.commands, [`editFileMetadata ${one}`]);
  assert.deepEqual(unexpected(file.rig), []);
  for (const path of [iris, join(VECTORS, "safetensors", "sharded", "model.safetensors.index.json")]) {
    await using other = await openFile(path);
    await other.rig.page.getByTestId("section-tab-overview").click();
    await other.rig.page.getByTestId("about").waitFor();
    assert.equal(await other.rig.page.getByTestId("file-edit-metadata").count(), 0, path);
  }
});

test("a file opens with what it is looked at for, until its reader has chosen otherwise", async () => {
  const graph = join(folder, "graph.onnx");
  cpSync(iris, graph);
  const cases = {
    overview: graph,
    tensors: join(VECTORS, "flax", "trainstate_adamw.msgpack"),
    pickle: join(VECTORS, "pickle_hostile", "global_reduce_p2.pkl"),
  };
  for (const [section, path] of Object.entries(cases)) {
    await using file = await openFile(path);
    await file.rig.page.locator(`[data-testid=section-tab-${section}][aria-selected="true"]`).waitFor();
  }
  await using file = await openFile(cases.tensors);
  await file.rig.page.getByTestId("section-tab-overview").click();
  await file.rig.page.getByTestId("about").waitFor();
  await using again = await openFile(cases.tensors, { saved: await file.rig.saved() });
  await again.rig.page.getByTestId("about").waitFor();
  // A tensor that is alone is looked at at once.
  const alone = join(folder, "alone.safetensors");
  const header = `{"only":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`;
  writeFileSync(alone, safetensorsBytes(header, Buffer.alloc(8)));
  await using single = await openFile(alone);
  await single.rig.page.getByTestId("tensor-name").getByText("only").waitFor();
});

test("what cannot be read says why and where, and can be tried again", async () => {
  const cut = join(folder, "cut.onnx");
  writeFileSync(cut, readFileSync(iris).subarray(0, 300));
  await using file = await openFile(cut);
  const { page } = file.rig;
  await page.getByTestId("file-broken").waitFor();
  assert.equal(await page.getByTestId("file-broken").getAttribute("data-code"), "format.mismatch");
  cpSync(iris, cut);
  await page.getByTestId("content-retry").click();
  await page.getByTestId("about").waitFor();
});

test("a file that is written, deleted and back is read again; while it is gone what was read stays", async () => {
  const path = join(folder, "moving.onnx");
  cpSync(iris, path);
  let touch = (): void => undefined;
  const watch = (onChange: () => void) => {
    touch = onChange;
    return { dispose: () => undefined };
  };
  await using file = await openFile(path, {}, { watch });
  const { page } = file.rig;
  await page.getByTestId("methods").getByText("run").waitFor();
  rmSync(path);
  touch();
  await page.getByTestId("file-gone").waitFor();
  await page.getByTestId("methods").getByText("run").waitFor();
  assert.equal(await page.getByTestId("file-save").count(), 0);
  cpSync(join(sample, "digits/v1/saved_model.onnx"), path);
  touch();
  await page.getByTestId("file-gone").waitFor({ state: "detached" });
  await page.getByTestId("methods").getByText("pixels").waitFor();
});

test("a file that cannot be had at all is refused in words, and shown once it can", async () => {
  let copies = 0;
  const dispose = async (): Promise<void> => undefined;
  const copy = async () => {
    copies += 1;
    if (copies < 3) throw new ModelbenchError("file.access", `git:/a.onnx: try ${copies} failed.`);
    return { path: iris, dispose };
  };
  await using file = await openFile("a.onnx", {}, { path: undefined, copy });
  const { page } = file.rig;
  const refused = page.getByTestId("file-refused");
  await refused.getByText("git:/a.onnx: try 1 failed.").waitFor();
  await page.getByTestId("file-retry").click();
  await refused.getByText("git:/a.onnx: try 2 failed.").waitFor();
  await page.getByTestId("file-retry").click();
  await page.getByTestId("methods").waitFor();
  assert.equal(await refused.count(), 0);
});

test("the members of an archive appear with what is in them, and its model; it is imported from its head", async () => {
  await using file = await openFile(archive);
  const { page } = file.rig;
  await page.locator('[data-testid=archive-state][data-state="done"]').waitFor();
  assert.deepEqual(await page.getByTestId("member").locator("td:first-child").allTextContents(), [
    "model.yaml",
    "saved_model.onnx",
  ]);
  assert.match(
    (await page.getByTestId("archive-model").textContent()) ?? "",
    /digits:v1.*bentoml\.onnx.*Saved[A-Z][a-z]{2} \d/,
  );
  assert.match((await page.getByTestId("archive-state").textContent()) ?? "", /^2 files, .* in all$/);
  await page.getByTestId("member-tensors").first().click();
  await page.getByTestId("member-list").getByText("float32").first().waitFor();
  await page.getByTestId("file-import").click();
  await page.waitForFunction("true");
  assert.deepEqual(file.commands, [`importModel ${archive}`]);
  assert.deepEqual(unexpected(file.rig), []);
});

test("a look is stopped and begun anew; what was found until then stays", async () => {
  const real = inProcessJobs();
  let looks = 0;
  // The first look ends only when it is stopped, after one member.
  const jobs: Jobs = {
    async run(job, input, options) {
      if (job.name !== archiveLookJob.name || ++looks > 1) return real.run(job, input, options);
      const slow = { path: "slow.bin", bytes: 5, format: null, verdict: null, imports: [] };
      const member = { ...slow, tensorCount: 0, parameters: 0, notes: [] };
      options?.onPart?.({ members: [{ index: 0, member }], tensors: [], model: null });
      options?.onProgress?.({ doneBytes: 50, totalBytes: 100 });
      await new Promise((resolve) => options?.signal?.addEventListener("abort", resolve));
      throw new ModelbenchError("cancelled", "It was cancelled.");
    },
  };
  await using file = await openFile(archive, {}, { jobs });
  const { page } = file.rig;
  await page.getByTestId("member").getByText("slow.bin").waitFor();
  await page.getByTestId("archive-state").getByText("50.0%").waitFor();
  await page.getByTestId("archive-stop").click();
  await page.locator('[data-testid=archive-state][data-state="stopped"]').waitFor();
  await page.getByTestId("member").getByText("slow.bin").waitFor();
  await page.getByTestId("archive-again").click();
  await page.locator('[data-testid=archive-state][data-state="done"]').waitFor();
  assert.equal(await page.getByTestId("member").getByText("slow.bin").count(), 0);
});

test("an archive that an import would refuse shows what passed, and says which member it is", async () => {
  const members = Array.from({ length: 900 }, (_, i) => rawMember({ name: `part${i}`, content: Buffer.alloc(7) }));
  const yaml = rawMember({ name: "model.yaml", content: modelYaml() });
  const path = join(folder, "many.tar");
  writeFileSync(path, tarOf(yaml, ...members, rawMember({ name: "../out", content: Buffer.alloc(1) })));
  await using file = await openFile(path);
  const { page } = file.rig;
  await page.getByTestId("archive-refused").getByText("../out").first().waitFor();
  assert.equal(await page.getByTestId("member").count(), 200);
  await page.getByTestId("members-more").click();
  assert.equal(await page.getByTestId("member").count(), 400);
});

test("names from a file are text: nothing of them becomes a part of the page", async () => {
  const evil = "<img src=x onerror='globalThis.HOSTILE=1'>";
  const path = join(folder, "hostile.tar");
  const text = modelYaml()
    .toString()
    .replace("labels: {}", `labels:\n  '${evil.replaceAll("'", "''")}': "<script>globalThis.HOSTILE=1</script>"`);
  const member = rawMember({ name: `${evil.replace("=x", "")}.txt`, content: Buffer.from("x") });
  writeFileSync(path, tarOf(rawMember({ name: "model.yaml", content: Buffer.from(text) }), member));
  await using file = await openFile(path);
  const { page } = file.rig;
  await page.locator('[data-testid=archive-state]:not([data-state="reading"])').waitFor();
  await page.getByTestId("labels").getByText("<script>").waitFor();
  assert.equal(await page.evaluate("globalThis.HOSTILE"), undefined);
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(unexpected(file.rig), []);
});

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: a file and an archive without an accessibility violation or a sideways scroll`, async () => {
      await using file = await openFile(iris, { theme, width });
      await file.rig.page.getByTestId("methods").waitFor();
      await inspectScreen(file.rig, `${theme}-${width}-file`);
      await using look = await openFile(archive, { theme, width });
      await look.rig.page.getByTestId("member-tensors").first().click();
      await look.rig.page.getByTestId("member-list").getByText("float32").first().waitFor();
      await inspectScreen(look.rig, `${theme}-${width}-archive`);
    });
  }
}
