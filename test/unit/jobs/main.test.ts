import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { silentLog } from "../../../src/base/log";
import type { Jobs } from "../../../src/base/ports";
import { YamlFloat } from "../../../src/formats/pyYaml";
import { childJobs } from "../../../src/jobs/client";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { exportModelJob, importArchiveJob } from "../../../src/store/archive/archiveJobs";
import { ModelStore } from "../../../src/store/modelStore";
import { saveModelInput, saveModelJob } from "../../../src/store/saveModelJob";
import { modelYaml, storedXz } from "../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../fixtures/rawTar";
import { draftOf, sourcesIn } from "../store/storeKit";

let folder: string;
let entry: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "modelbench-main-"));
  entry = join(folder, "jobs.cjs");
  const script: { bundleOptions(bundle: { name: string; entry: string }, production: boolean): BuildOptions } =
    await import(pathToFileURL(resolve("esbuild.mjs")).href);
  await build({ ...script.bundleOptions({ name: "jobs", entry: "src/jobs/main.ts" }, false), outfile: entry });
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function saveExportImport(jobs: Jobs, home: string): Promise<void> {
  const metadata = new Map([["lr", new YamlFloat(1)]]);
  const draft = draftOf("saved", "v1", { metadata });
  const files = sourcesIn(mkdtempSync(join(folder, "source-")), { "w.bin": "weights" });
  const saved = await jobs.run(saveModelJob, saveModelInput(home, draft, files));
  assert.equal(saved.tag, "saved:v1");
  const out = mkdtempSync(join(folder, "out-"));
  const { path } = await jobs.run(exportModelJob, { home, tag: "saved:v1", destination: out });
  const other = `${home}-other`;
  const imported = await jobs.run(importArchiveJob, { home: other, source: path, onConflict: "fail" });
  assert.equal(imported.action, "imported");
  const { info } = new ModelStore(other).get("saved:v1");
  assert.deepEqual(info.metadata.get("lr"), new YamlFloat(1), "a float is still a float on the other side");
}

test("save, export and import give the same in the jobs process and in this one", async () => {
  const jobs = childJobs({ entry, log: silentLog });
  try {
    await saveExportImport(jobs, join(folder, "child"));
  } finally {
    jobs.dispose();
  }
  await saveExportImport(inProcessJobs(), join(folder, "inProcess"));
});

test("a jobs process that is killed in the middle of an import leaves no model, and what it staged can be swept", async () => {
  const members = Array.from({ length: 3000 }, (_, i) => rawMember({ name: `f${i}`, content: Buffer.from("x") }));
  const source = join(folder, "many.bentomodel");
  writeFileSync(source, await storedXz(tarOf(rawMember({ name: "model.yaml", content: modelYaml() }), ...members)));
  const home = join(folder, "killed");
  const jobs = childJobs({ entry, log: silentLog });
  const staging = join(home, ".modelbench", "staging");
  const importing = jobs.run(importArchiveJob, { home, source, onConflict: "fail" });
  const outcome = assert.rejects(importing, { code: "cancelled" });
  while (!existsSync(staging) || readdirSync(staging).length === 0) await new Promise((r) => setTimeout(r, 2));
  jobs.dispose();
  await outcome;
  const store = new ModelStore(home);
  assert.deepEqual(store.list().models, []);
  for (let i = 0; i < 200 && readdirSync(staging).length > 0; i++) {
    await store.sweepStaging();
    await new Promise((r) => setTimeout(r, 10));
  }
  assert.deepEqual(readdirSync(staging), []);
});
