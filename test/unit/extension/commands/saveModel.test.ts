import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { saveModel } from "../../../../src/extension/commands/saveModel";
import { parsePyYaml } from "../../../../src/formats/pyYaml";
import type { DraftedFiles } from "../../../../src/frameworks/draftedFiles";
import type { SaveModelInput } from "../../../../src/store/saveModelJob";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const drafted: DraftedFiles = {
  draft: {
    module: "bentoml.onnx",
    apiVersion: "v2",
    frameworkName: "onnx",
    frameworkVersions: {},
    signatures: { run: { batchable: false, batchDim: [0, 0] } },
  },
  optionsYaml: "providers: null\n",
  files: [{ from: "/data/My Net.onnx", to: "saved_model.onnx" }],
  modules: ["bentoml.onnx", ""],
  described: {},
};

test("a saved file becomes what the form says, with exact metadata, and is shown", async () => {
  const inputs: SaveModelInput[] = [];
  const jobs = {
    "model.draft": () => drafted,
    "store.save": (input: SaveModelInput) => {
      inputs.push(input);
      return { tag: "my_net:v1", path: "" };
    },
  };
  const { services: parts, lines } = services(folder.path, {
    files: ["/data/My Net.onnx"],
    presses: true,
    jobs,
    form: ({ values }) => ({
      ...values,
      version: "v1",
      labels: { stage: "dev" },
      metadata: {
        acc: "1.0",
        n: "12345678901234567890",
        classes: '["a", "b"]',
        lr: "1e-3",
        nested: '{"deep": [2.50]}',
      },
      signatures: { run: { batchable: true, batchDim: [0, 0] } },
    }),
  });
  await saveModel(parts);
  const [input] = inputs;
  assert.deepEqual(input?.draft.labels, { stage: "dev" });
  assert.deepEqual(input?.draft.signatures, { run: { batchable: true, batchDim: [0, 0] } });
  assert.equal(input?.draft.version, "v1");
  assert.equal(input?.home, folder.path);
  assert.equal(
    input?.metadataYaml,
    "acc: 1.0\nn: 12345678901234567890\nclasses:\n- a\n- b\nlr: 0.001\nnested:\n  deep:\n  - 2.5\n",
  );
  assert.ok(parsePyYaml(input?.metadataYaml ?? ""));
  assert.deepEqual(lines, [
    "job: model.draft",
    "form: my_net",
    "job: model.draft",
    "progress: Saving my_net",
    "job: store.save",
    "reveal: my_net:v1",
    "inform: my_net:v1 saved. [Test]",
    "test: my_net:v1",
  ]);
});

test("a version that another window took meanwhile brings the form back with what was entered", async () => {
  const labels = { stage: "dev" };
  const shown: unknown[] = [];
  let saves = 0;
  const { services: parts, lines } = services(folder.path, {
    jobs: {
      "model.draft": () => drafted,
      "store.save": () => {
        saves += 1;
        if (saves === 1) throw new ModelbenchError("model.exists", "my_net:v1 already exists.");
        return { tag: "my_net:v2", path: "" };
      },
    },
    form: ({ values }) => {
      shown.push([values.version, values.labels]);
      return { ...values, version: shown.length === 1 ? "v1" : "v2", labels };
    },
  });
  await saveModel(parts, { fsPath: "/data/My Net.onnx" });
  assert.deepEqual(shown, [
    [undefined, {}],
    ["v1", labels],
  ]);
  assert.ok(lines.some((line) => line.includes("my_net:v1 already exists.")));
  assert.ok(lines.includes("reveal: my_net:v2"));
});

test("a file that became another model while the form was open is shown again, with what was entered", async () => {
  const other = {
    ...drafted,
    draft: { ...drafted.draft, signatures: { predict: { batchable: false, batchDim: [0, 0] } } },
  };
  const shown: unknown[] = [];
  const saved: unknown[] = [];
  let looks = 0;
  const { services: parts, lines } = services(folder.path, {
    jobs: {
      "model.draft": () => (++looks === 1 ? drafted : other),
      "store.save": ({ draft }: SaveModelInput) => {
        saved.push([draft.signatures, draft.labels]);
        return { tag: "my_net:v1", path: "" };
      },
    },
    form: ({ values }) => {
      shown.push([Object.keys(values.signatures), values.labels]);
      return { ...values, labels: { stage: "dev" } };
    },
  });
  await saveModel(parts, { fsPath: "/data/My Net.onnx" });
  assert.deepEqual(shown, [
    [["run"], {}],
    [["predict"], { stage: "dev" }],
  ]);
  assert.ok(lines.some((line) => line.includes("My Net.onnx is another model than when the form opened.")));
  assert.deepEqual(saved, [[other.draft.signatures, { stage: "dev" }]]);
});

test("a file that is being written when the form is done brings the form back with what was entered", async () => {
  let looks = 0;
  const shown: unknown[] = [];
  const { services: parts, lines } = services(folder.path, {
    jobs: {
      "model.draft": () => {
        if (++looks === 2) throw new ModelbenchError("format.corrupt", "My Net.onnx: ends inside a value.");
        return drafted;
      },
      "store.save": () => ({ tag: "my_net:v1", path: "" }),
    },
    form: ({ values }) => {
      shown.push(values.labels);
      return { ...values, labels: { stage: "dev" } };
    },
  });
  await saveModel(parts, { fsPath: "/data/My Net.onnx" });
  assert.deepEqual(shown, [{}, { stage: "dev" }]);
  assert.ok(lines.some((line) => line.includes("My Net.onnx: ends inside a value.")));
  assert.ok(lines.includes("reveal: my_net:v1"));
});

test("a closed form saves nothing", async () => {
  const { services: parts, lines } = services(folder.path, { jobs: { "model.draft": () => drafted } });
  await saveModel(parts, { fsPath: "/data/a.onnx" });
  assert.deepEqual(lines, ["job: model.draft", "form: a"]);
});

test("the form refuses a name outside the grammar and a version that is there", async () => {
  plant(folder.path, "a", "v1");
  const answers: (string | undefined)[] = [];
  const { services: parts } = services(folder.path, {
    jobs: { "model.draft": () => drafted },
    form: ({ check }) => {
      answers.push(check("a", "v1"), check("a", "v2"), check("a", undefined), check("no spaces", undefined));
      return undefined;
    },
  });
  await saveModel(parts, { fsPath: "/data/a.onnx" });
  assert.equal(answers[0], "a:v1 is in the store already.");
  assert.deepEqual(answers.slice(1, 3), [undefined, undefined]);
  assert.ok(answers[3]);
});
