import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PYTHON } from "../realStore";
import { ExampleKit, signature } from "./exampleKit";

const MODEL = `name: boosted
version: v1
module: bentoml.lightgbm
labels: {}
options: {}
metadata: {}
context: {framework_name: lightgbm, framework_versions: {}, bentoml_version: 1.4.39, python_version: 3.11.7}
signatures: {predict: {batchable: true, batch_dim: [0, 0]}}
api_version: v1
creation_time: '2026-01-01T00:00:00+00:00'
`;

let kit: ExampleKit;
/** An interpreter without any package, as a user's may be. */
let bare: string;
let folder: string;
before(async () => {
  kit = await ExampleKit.open();
  const venv = join(kit.cli.folder, "bare");
  execFileSync(PYTHON, ["-m", "venv", "--without-pip", venv]);
  bare = join(venv, "bin/python");
  folder = join(kit.home, "models/boosted/v1");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.yaml"), MODEL);
  writeFileSync(join(folder, "saved_model.pkl"), "never read");
});
after(() => kit.dispose());

test("without bentoml a model that only BentoML runs is refused in a plain sentence, before anything is started", async () => {
  const { code, message, remedy } = await kit.failure(["boosted:v1", "--input", "0=[[1]]"], bare);
  assert.equal(code, "python.missing");
  assert.match(message, /boosted:v1.*\bbentoml\b.*\blightgbm\b/);
  assert.ok(remedy?.endsWith(`${bare} -m pip install bentoml lightgbm`), remedy);
});

test("the worker itself says what it lacks, where the packages are gone since", async () => {
  const loading = { adapter: "bentoml", folder, signatures: { predict: signature() }, python: { interpreter: bare } };
  await kit.withModel(loading, async (session) => {
    await assert.rejects(session.load(), {
      code: "python.missing",
      message: `A model of this framework runs through BentoML: it needs bentoml, which ${bare} does not have.`,
      remedy: `${bare} -m pip install bentoml`,
    });
  });
});
