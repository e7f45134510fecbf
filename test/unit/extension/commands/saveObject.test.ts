import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { saveObject } from "../../../../src/extension/commands/saveObject";
import type { ObjectToMake } from "../../../../src/extension/projectCode";
import { importedPackages, topLevelNames } from "../../../../src/extension/topLevelNames";
import type { MadeObject, ObjectValues } from "../../../../src/runner/objectSaver";
import { fakePython } from "../fakePython";
import { type Answers, services } from "../fakeServices";

/** Any program will do: nothing is started. */
const PYTHON = { interpreter: process.execPath, paths: [], preload: [] };
const FILE = "/work/iris/train.py";
const TEXT = ["import sklearn.svm", "model = fit()", "  inner = 1", "scores: list[float] = []", "def f():", "  x = 2"];

interface Played {
  readonly lines: readonly string[];
  readonly made: readonly ObjectToMake[];
  readonly saved: readonly ObjectValues[];
  readonly discarded: number;
}

/** Plays the command with an object that is made at once, and answers with all that came of it. */
async function play(answers: Answers, save: (values: ObjectValues, turn: number) => string): Promise<Played> {
  const made: ObjectToMake[] = [];
  const saved: ObjectValues[] = [];
  let discarded = 0;
  const object: MadeObject = {
    drafted: {
      draft: {
        module: "bentoml.sklearn",
        apiVersion: "v1",
        frameworkName: "sklearn",
        frameworkVersions: { "scikit-learn": "1.9.1" },
        signatures: { predict: { batchable: false, batchDim: [0, 0] } },
      },
      optionsYaml: "{}\n",
      files: [{ from: "/store/.modelbench/staging/x/saved_model.pkl", to: "saved_model.pkl" }],
      modules: ["bentoml.sklearn"],
      described: {},
    },
    type: "sklearn.svm.SVC",
    methods: ["predict", "score"],
    provenance: {
      expression: "model",
      script: { path: FILE, bytes: 1, mtimeMs: 1, sha256: "0" },
      data: [],
      versions: {},
    },
    async save(values) {
      saved.push(values);
      return { tag: save(values, saved.length), path: "/store/models/x" };
    },
    async discard() {
      discarded += 1;
    },
  };
  const { services: all, lines } = services("/store", {
    ...answers,
    project: {
      read: async () => ({ path: FILE, text: TEXT.join("\n"), line: 1 }),
      folderOf: () => "/work/iris",
      async make(request) {
        made.push(request);
        return object;
      },
    },
  });
  await saveObject({ ...all, python: fakePython({ settings: PYTHON }) });
  return { lines, made, saved, discarded };
}

const pick: Answers["pick"] = (title, labels) => (title.startsWith("Save ") ? labels[0] : undefined);

test("the object nearest above the caret is proposed, and is run only after consent to its file and interpreter", async () => {
  const asked: string[] = [];
  const input: Answers["input"] = (title, value) => {
    asked.push(`${title}: ${value}`);
    return [];
  };
  const refused = await play({ pick, input }, () => "never:v1");
  assert.deepEqual(asked, ["Object to save: train:model"]);
  assert.equal(refused.made.length, 0);
  const question = refused.lines.find((line) => line.startsWith("decide: "));
  assert.match(question ?? "", /Run train\.py in Your Python\?.*File: \/work\/iris\/train\.py.*Interpreter: /);
  const { made, saved, lines, discarded } = await play(
    { pick, input, decides: "Run and Save", form: ({ values }) => ({ ...values, name: "iris", labels: { a: "b" } }) },
    () => "iris:v1",
  );
  assert.equal(made.length, 1);
  assert.deepEqual(made[0]?.source, {
    file: FILE,
    target: "train:model",
    customObjects: [],
    externalModules: ["train"],
  });
  assert.deepEqual([made[0]?.adapter, made[0]?.python.workingFolder], ["sklearn", "/work/iris"]);
  assert.deepEqual([saved[0]?.name, saved[0]?.labels, discarded], ["iris", { a: "b" }, 0]);
  assert.ok(lines.includes("reveal: iris:v1"));
});

test("the question's lines are its own, whatever the file and its folder are called", async () => {
  const path = "/work/a\nInterpreter: /usr/bin/python3/\u202eyp.train\n.py";
  const read = async () => ({ path, text: "model = 1", line: 1 });
  const project = { read, folderOf: () => undefined, make: () => assert.fail("is not run") };
  const { services: all, lines } = services("/store", { pick, input: () => [], project });
  await saveObject({ ...all, python: fakePython({ settings: PYTHON }) });
  const question = lines.find((line) => line.startsWith("decide: ")) ?? "";
  assert.match(question, /File: \/work\/a\\u\{a\}Interpreter: /);
  assert.equal(question.split(" | Interpreter: ").length, 2);
  assert.doesNotMatch(question, /\u202e/);
});

test("a form that is closed leaves nothing, and a taken name asks again without another run", async () => {
  const closed = await play({ pick, input: () => [], decides: "Run and Save" }, () => "never:v1");
  assert.deepEqual([closed.made.length, closed.saved.length, closed.discarded], [1, 0, 1]);
  const names = ["taken", "free"];
  const again = await play(
    {
      pick,
      input: () => [],
      decides: "Run and Save",
      form: ({ values }) => ({ ...values, name: names.shift() ?? "" }),
    },
    ({ name }) => {
      if (name === "taken") throw new ModelbenchError("model.exists", "There is one.");
      return `${name}:v1`;
    },
  );
  assert.deepEqual(
    [again.made.length, again.saved.map(({ name }) => name), again.discarded],
    [1, ["taken", "free"], 0],
  );
});

test("what else is saved is said before the run: custom objects, arguments of methods, modules, data", async () => {
  const steps = [
    "Custom objects",
    "Arguments that every call is given",
    "Modules whose code is saved with it",
    "Go On…",
  ];
  const { made, saved } = await play(
    {
      pick: (title) => (title.startsWith("Save ") ? steps.shift() : undefined),
      input: (title) => {
        if (title.startsWith("Custom")) return ["names = ['a', 'b']"];
        if (title.startsWith("Arguments")) return ["predict = 3", 'predict = {"top": 3}'];
        return title.startsWith("Modules") ? ["1x", "train, shop.rates"] : [];
      },
      decides: "Run and Save",
      form: ({ values }) => values,
    },
    () => "model:v1",
  );
  assert.deepEqual(made[0]?.source.customObjects, [{ name: "names", expression: "['a', 'b']" }]);
  assert.deepEqual(made[0]?.source.externalModules, ["train", "shop.rates"]);
  assert.deepEqual(saved[0]?.partialKwargs, { predict: '{"top": 3}' });
});

test("in Restricted Mode nothing is run or asked", async () => {
  const { services: all, lines } = services("/store", {});
  await assert.rejects(saveObject({ ...all, trust: { ...all.trust, isTrusted: false } }), { code: "trust.required" });
  assert.deepEqual(lines, []);
});

test("names are those assigned at the top level, the nearest above the caret first", () => {
  assert.deepEqual(topLevelNames(TEXT.join("\n"), 5), ["scores", "model"]);
  assert.deepEqual(topLevelNames("a = 1\nb = 2\nc == 3\nd += 4\n__all__ = []\na = 5", 0), ["a", "b"]);
  assert.deepEqual(
    [...importedPackages("import flax.linen as nn\nfrom sklearn import svm\nx = 'import y'")],
    ["flax", "sklearn"],
  );
});
