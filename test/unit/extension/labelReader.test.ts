import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { JobKey, Jobs } from "../../../src/base/ports";
import { LiveListing } from "../../../src/extension/liveListing";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { ModelStore } from "../../../src/store/modelStore";
import { manyLabels, plant, yamlOf } from "../store/storeKit";
import { noWatch } from "./fakes";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "modelbench-labels-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Plants a version with this text as the labels of its model.yaml. */
function plantLabels(name: string, version: string, labels: string): string {
  const path = join(plant(home, name, version), "model.yaml");
  writeFileSync(path, yamlOf(name, version).replace("labels: {}", `labels:${labels}`));
  return path;
}

function follow() {
  const asked: unknown[] = [];
  const jobs: Jobs = {
    run<Input, Result>(job: JobKey<Input, Result>, input: Input): Promise<Result> {
      asked.push(input);
      return inProcessJobs().run(job, input);
    },
  };
  const listing = new LiveListing(new ModelStore(home), jobs, noWatch);
  const labels = async () =>
    Object.fromEntries([...(await listing.labels())].map(([tag, found]) => [tag, Object.fromEntries(found)]));
  return { listing, labels, asked };
}

test("labels come by tag, whatever the way in which they are written", async () => {
  plant(home, "bare", "v1");
  plantLabels("plain", "v1", "\n  stage: dev\n  owner: 'Team A'");
  plantLabels("flow", "v1", ' {stage: "prod", n: "1"}');
  const { listing, labels, asked } = follow();
  assert.deepEqual(await labels(), {
    "bare:v1": {},
    "flow:v1": { stage: "prod", n: "1" },
    "plain:v1": { stage: "dev", owner: "Team A" },
  });
  assert.deepEqual(asked, []);
  listing.dispose();
});

test("a model.yaml is read again once it changed, also within its size and second", async () => {
  const path = plantLabels("m", "v1", "\n  stage: dev");
  utimesSync(path, 1_000_000, 1_000_000);
  const { listing, labels } = follow();
  assert.deepEqual(await labels(), { "m:v1": { stage: "dev" } });
  await new Promise((resolve) => setTimeout(resolve, 20));
  plantLabels("m", "v1", "\n  stage: abc");
  utimesSync(path, 1_000_000, 1_000_000);
  assert.deepEqual(await labels(), { "m:v1": { stage: "abc" } });
  listing.dispose();
});

test("labels that take long to parse are read by the jobs process, and not twice", async () => {
  writeFileSync(join(plant(home, "big", "v1"), "model.yaml"), manyLabels("big", "v1"));
  const { listing, labels, asked } = follow();
  await listing.ready();
  while (!listing.snapshot.names.has("big")) await new Promise((resolve) => setTimeout(resolve, 10));
  const found = await labels();
  assert.equal(Object.keys(found["big:v1"] ?? {}).length, 20_000);
  const before = asked.length;
  await labels();
  assert.equal(asked.length, before);
  listing.dispose();
});

test("a listing that ended has no labels", async () => {
  plantLabels("m", "v1", "\n  stage: dev");
  const { listing, labels } = follow();
  await listing.ready();
  listing.dispose();
  assert.deepEqual(await labels(), {});
});
