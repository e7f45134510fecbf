import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Jobs } from "../../../../src/base/ports";
import type { VersionNode } from "../../../../src/extension/tree/treeModel";
import { Verdicts } from "../../../../src/extension/tree/verdicts";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { tempFolder } from "../../store/storeKit";
import { summary } from "../fakes";

const { path: folder, remove } = tempFolder();
after(remove);

/** A version whose only file is a vector. */
function version(name: string, vector: string, file = "saved_model.pkl"): VersionNode {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, file), readFileSync(join("test/fixtures/vectors", vector)));
  const tag = `${name}:a`;
  return { kind: "version", store: "own", tag, summary: { ...summary(tag), path } };
}

/** Counts what is asked of the jobs. */
function counted(): { readonly jobs: Jobs; readonly asked: string[][] } {
  const inner = inProcessJobs();
  const asked: string[][] = [];
  const jobs: Jobs = {
    run(job, input, options) {
      asked.push([...(input as unknown as { folders: string[] }).folders]);
      return inner.run(job, input, options);
    },
  };
  return { jobs, asked };
}

test("rows drawn together are asked about once, and told when the answer is there", async () => {
  const { jobs, asked } = counted();
  const verdicts = new Verdicts(jobs);
  const code = version("code", "pickle/bentoml_lambda.pkl");
  const plain = version("plain", "onnx/bf16_io.onnx", "model.onnx");
  const told = new EventTarget();
  const changed: string[] = [];
  verdicts.onDidChange((nodes) => {
    changed.push(...nodes.map(({ tag }) => tag));
    told.dispatchEvent(new Event("told"));
  });
  const waiting = once(told, "told");
  assert.equal(verdicts.of(code), undefined);
  assert.equal(verdicts.of(plain), undefined);
  await waiting;
  assert.deepEqual(changed, ["code:a"], "a version without pickles is drawn as it was");
  assert.deepEqual(verdicts.of(code), { verdict: "code", unknownImports: 0 });
  assert.equal(verdicts.of(plain), undefined);
  await pause(100);
  assert.deepEqual(asked, [[code.summary.path, plain.summary.path]]);
  verdicts.dispose();
});

test("a file that changed is read again when its version changed", async () => {
  const verdicts = new Verdicts(inProcessJobs());
  const node = version("changing", "pickle/bentoml_lambda.pkl");
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      const { dispose } = verdicts.onDidChange(() => {
        dispose();
        resolve();
      });
    });
  let waiting = next();
  verdicts.of(node);
  await waiting;
  const path = join(node.summary.path, "saved_model.pkl");
  writeFileSync(path, readFileSync("test/fixtures/vectors/pickle_hostile/inst.pkl"));
  utimesSync(path, 1, 1);
  waiting = next();
  const larger = { ...node, summary: { ...node.summary, sizeBytes: 1 } };
  assert.equal(verdicts.of(larger)?.verdict, "code", "the old one until the new one is there");
  await waiting;
  assert.equal(verdicts.of(larger)?.verdict, "dangerous");
  verdicts.dispose();
});
