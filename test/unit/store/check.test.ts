import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Problem } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { fc } from "../../fixtures/fastCheck";
import { draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf, yamlOf } from "./storeKit";

/** A store with models of ours and of others, in good order. */
async function healthy(home: string, sources: string): Promise<ModelStore> {
  const store = new ModelStore(home);
  const files = sourcesIn(sources, { "a.bin": "AAAA", "deep/b.txt": "b" });
  for (const version of ["v1", "v2"]) await store.save(draftOf("ours", version), files);
  plant(home, "theirs", "v1");
  writeFileSync(join(home, "models", "theirs", "latest"), "v1");
  symlinkSync("weights.bin", join(home, "models", "theirs", "v1", "inside"));
  mkdirSync(join(home, "models", "theirs", "young"));
  await store.stagingFolder();
  return store;
}

/** One way to damage that store; `at` is the path of the problem, from the home. */
interface Damage {
  readonly kind: Problem["kind"];
  readonly at: string;
  readonly tag?: string;
  readonly make: (home: string) => void;
}

const models = (home: string, ...path: string[]): string => join(home, "models", ...path);
const ended = spawnSync("true").pid;

const DAMAGES: Damage[] = [
  {
    kind: "file.missing",
    at: "models/ours/v1/deep/b.txt",
    tag: "ours:v1",
    make: (home) => rmSync(models(home, "ours/v1/deep/b.txt")),
  },
  {
    kind: "file.changed",
    at: "models/ours/v2/a.bin",
    tag: "ours:v2",
    make: (home) => truncateSync(models(home, "ours/v2/a.bin"), 3),
  },
  {
    kind: "file.changed",
    at: "models/ours/v1/a.bin",
    tag: "ours:v1",
    make: (home) => writeFileSync(models(home, "ours/v1/a.bin"), "AABA"),
  },
  {
    kind: "file.changed",
    at: "models/ours/v1/deep/b.txt",
    tag: "ours:v1",
    make: (home) => truncateSync(models(home, "ours/v1/deep/b.txt"), 0),
  },
  {
    kind: "latest.torn",
    at: "models/ours/latest",
    tag: "ours",
    make: (home) => writeFileSync(models(home, "ours/latest"), ""),
  },
  {
    kind: "latest.torn",
    at: "models/theirs/latest",
    tag: "theirs",
    make: (home) => writeFileSync(models(home, "theirs/latest"), "../ours/v1"),
  },
  {
    kind: "latest.dangling",
    at: "models/theirs/latest",
    tag: "theirs",
    make: (home) => writeFileSync(models(home, "theirs/latest"), "v0"),
  },
  {
    kind: "model.incomplete",
    at: "models/theirs/half",
    tag: "theirs:half",
    make: (home) => {
      mkdirSync(models(home, "theirs/half"));
      utimesSync(models(home, "theirs/half"), 1, 1);
    },
  },
  {
    kind: "model.incomplete",
    at: "models/theirs/unfinished",
    tag: "theirs:unfinished",
    make: (home) => {
      rmSync(join(plant(home, "theirs", "unfinished"), "model.yaml"));
      utimesSync(models(home, "theirs/unfinished"), 1, 1);
    },
  },
  {
    kind: "yaml.invalid",
    at: "models/theirs/torn",
    tag: "theirs:torn",
    make: (home) => writeFileSync(join(plant(home, "theirs", "torn"), "model.yaml"), "name: ["),
  },
  {
    kind: "tag.mismatch",
    at: "models/theirs/other",
    tag: "theirs:other",
    make: (home) => writeFileSync(join(plant(home, "theirs", "other"), "model.yaml"), yamlOf("theirs", "v1")),
  },
  { kind: "tag.mismatch", at: "models/.hidden", tag: ".hidden", make: (home) => mkdirSync(models(home, ".hidden")) },
  {
    kind: "link.stray",
    at: "models/theirs/v1/out",
    tag: "theirs:v1",
    make: (home) => symlinkSync(home, models(home, "theirs/v1/out")),
  },
  {
    kind: "link.stray",
    at: "models/theirs/v1/gone",
    tag: "theirs:v1",
    make: (home) => symlinkSync("nowhere", models(home, "theirs/v1/gone")),
  },
  {
    kind: "link.stray",
    at: "models/theirs/v9",
    tag: "theirs",
    make: (home) => symlinkSync("nowhere", models(home, "theirs/v9")),
  },
  {
    kind: "link.stray",
    at: "models/elsewhere",
    tag: "elsewhere",
    make: (home) => {
      for (let i = 0; i < 20; i++) mkdirSync(join(home, "folders", String(i)), { recursive: true });
      symlinkSync("../folders", models(home, "elsewhere"));
    },
  },
  {
    kind: "link.stray",
    at: "models/alias",
    tag: "alias",
    make: (home) => symlinkSync("ours", models(home, "alias")),
  },
  {
    kind: "link.stray",
    at: "models/ours/again",
    tag: "ours",
    make: (home) => symlinkSync("v1", models(home, "ours/again")),
  },
  {
    kind: "case.collision",
    at: "models/theirs",
    make: (home) => writeFileSync(models(home, "Theirs"), ""),
  },
  {
    kind: "case.collision",
    at: "models/theirs/v1/weights.bin",
    tag: "theirs:v1",
    make: (home) => writeFileSync(models(home, "theirs/v1/Weights.bin"), ""),
  },
  {
    kind: "staging.leftover",
    at: ".modelbench/staging",
    make: (home) => {
      const [own = ""] = namesIn(join(home, ".modelbench/staging"));
      mkdirSync(join(home, ".modelbench/staging", own.replace(/^\d+/, String(ended))));
    },
  },
];

async function inHealthyStore(body: (home: string, store: ModelStore) => Promise<void> | void): Promise<void> {
  const temp = tempFolder();
  try {
    const home = join(temp.path, "home");
    await body(home, await healthy(home, join(temp.path, "sources")));
  } finally {
    temp.remove();
  }
}

test("a healthy store, with links inside models and a version being written, has no problems", () =>
  inHealthyStore((home, store) => {
    const before = treeOf(home);
    assert.deepEqual(store.check(), { models: 3, problems: [] });
    assert.deepEqual(treeOf(home), before);
  }));

test("every set of damages is found, each once, and nothing else", () =>
  fc.assert(
    fc.asyncProperty(fc.subarray(DAMAGES, { minLength: 1 }), (damages) =>
      inHealthyStore((home, store) => {
        // Two damages of one file hide one another.
        const chosen = damages.filter(({ at }, i) => damages.findIndex((other) => other.at === at) === i);
        for (const { make } of chosen) make(home);
        const found = store.check().problems.map(({ kind, tag, path }) => {
          const at = path.slice(home.length + 1).replace(/(staging)\/.*/, "$1");
          return `${kind} ${tag} ${at}`;
        });
        assert.deepEqual(found.sort(), chosen.map(({ kind, tag, at }) => `${kind} ${tag} ${at}`).sort());
      }),
    ),
    { numRuns: 200 },
  ));

test("only what is asked for is checked", () =>
  inHealthyStore((home, store) => {
    writeFileSync(models(home, "ours/v1/a.bin"), "....");
    writeFileSync(models(home, "theirs/latest"), "");
    const kinds = (tags: string[]): string[] => store.check(tags).problems.map(({ kind }) => kind);
    assert.deepEqual(kinds(["ours:v2"]), []);
    assert.deepEqual(kinds(["ours:v1"]), ["file.changed"]);
    assert.deepEqual(kinds(["ours"]), ["file.changed"]);
    assert.deepEqual(kinds(["theirs"]), ["latest.torn"]);
    assert.equal(store.check(["ours"]).models, 2);
    assert.throws(() => store.check(["a/b"]), { code: "tag.invalid" });
  }));

test("another model under the same tag is not compared with what was saved before", () =>
  inHealthyStore((home, store) => {
    rmSync(models(home, "ours/v1"), { recursive: true });
    plant(home, "ours", "v1");
    assert.deepEqual(store.check().problems, []);
    assert.ok(readFileSync(join(home, ".modelbench/digests/ours/v1.json"), "utf8").includes("a.bin"));
  }));

const tagPart = fc.stringMatching(/^[a-z0-9]([-._a-z0-9]{0,6}[a-z0-9])?$/).filter((text) => text !== "latest");
const filePath = fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9._ -]{0,5}[a-z0-9]$/), { minLength: 1, maxLength: 3 });
const anyModel = fc.record({
  name: tagPart,
  version: tagPart,
  files: fc.dictionary(
    filePath.map((path) => path.join("/")),
    fc.uint8Array({ maxLength: 200 }),
    { maxKeys: 4 },
  ),
  by: fc.constantFrom("us", "a peer", "us, deleted", "us, restored"),
});

test("200 stores of any shape are told healthy, whatever was saved, deleted and restored in them", async () => {
  const stores = fc.uniqueArray(anyModel, { maxLength: 6, selector: ({ name, version }) => `${name}:${version}` });
  await fc.assert(
    fc.asyncProperty(stores, (all) =>
      inEmptyStore(async (home, store) => {
        for (const [i, model] of all.entries()) await enter(home, store, model, `${home}-sources/${i}`);
        const before = treeOf(home);
        const { problems } = store.check();
        assert.deepEqual(problems, []);
        assert.deepEqual(treeOf(home), before);
      }),
    ),
    { numRuns: 200 },
  );
});

/** Saves a model as one of us or of a peer; files that are folders of others are left out. */
async function enter(
  home: string,
  store: ModelStore,
  { name, version, files, by }: Generated<typeof anyModel>,
  folder: string,
): Promise<void> {
  if (by === "a peer") {
    // Unquoted in that model.yaml, where a number would be no name.
    plant(home, `p${name}`, `v${version}`);
    return;
  }
  const paths = Object.keys(files).filter(
    (path) => path !== "model.yaml" && !Object.keys(files).some((other) => other.startsWith(`${path}/`)),
  );
  const contents = Object.fromEntries(paths.map((path) => [path, Buffer.from(files[path] ?? []).toString("latin1")]));
  await store.save(draftOf(name, version), sourcesIn(folder, contents));
  if (by === "us") return;
  const { id } = await store.delete({ name, version });
  if (by === "us, restored") await store.restore(id);
}

type Generated<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

async function inEmptyStore(body: (home: string, store: ModelStore) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    await body(join(temp.path, "home"), new ModelStore(join(temp.path, "home")));
  } finally {
    temp.remove();
  }
}
