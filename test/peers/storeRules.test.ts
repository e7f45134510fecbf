import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ModelbenchError } from "../../src/base/errors";
import { runExportModel } from "../../src/store/archive/exportModel";
import { runImportArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { fc } from "../fixtures/fastCheck";
import { draftOf, plant } from "../unit/store/storeKit";
import { StorePeer } from "./storePeer";

const temp = mkdtempSync(join(tmpdir(), "modelbench-rules-"));
const peer = new StorePeer();
after(() => {
  peer.dispose();
  rmSync(temp, { recursive: true, force: true });
});

let homes = 0;
function newHome(): string {
  homes += 1;
  const home = join(temp, `home${homes}`);
  mkdirSync(join(home, "models"), { recursive: true });
  return home;
}

/** One name as it may stand on a disk: versions with the days they were made, and what `latest` says. */
interface Stored {
  readonly versions: Readonly<Record<string, number>>;
  /** `undefined`: no such file. */
  readonly latest: string | undefined;
}

const day = (number: number): string => `2024-01-${String(number).padStart(2, "0")}T00:00:00+00:00`;
const latestFile = (home: string): string => join(home, "models/m/latest");
const latestOf = (home: string): string | undefined =>
  existsSync(latestFile(home)) ? readFileSync(latestFile(home), "utf8") : undefined;

function homeWith({ versions, latest }: Stored): string {
  const home = newHome();
  for (const [version, made] of Object.entries(versions)) plant(home, "m", version, day(made));
  if (latest !== undefined) writeFileSync(latestFile(home), latest);
  return home;
}

const version = fc.constantFrom("v1", "v10", "v2", "a", "ab", "abc", "x.1", "x.10");
const stored: fc.Arbitrary<Stored> = fc
  .uniqueArray(version, { minLength: 1, maxLength: 5 })
  .chain((names) =>
    fc.record({
      // No two on one day: which of them is newer is a rule of its own.
      days: fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: names.length, maxLength: names.length }),
      latest: fc.oneof(fc.constantFrom(...names), fc.constantFrom(undefined, "gone", `${names[0]}\n`)),
      names: fc.constant(names),
    }),
  )
  .map(({ names, days, latest }) => ({
    versions: Object.fromEntries(names.map((name, i) => [name, days[i] ?? 1])),
    latest,
  }));

/** Holds for every generated name. */
async function always(check: (generated: Stored) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(stored, check), { numRuns: 40 });
}

/** What ours answers, or its failure's message. */
function ours<T>(act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof ModelbenchError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const theirs = <T>(answer: Promise<T>): Promise<T | string> =>
  answer.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));

test("get name and name:latest answer with what latest names, else with the newest version", async () => {
  await always(async (generated) => {
    for (const text of ["m", "m:latest"]) {
      const home = homeWith(generated);
      const our = formatTag(new ModelStore(home).get(text).tag);
      // Looking never writes here; the real one writes the file anew where it had to look for the newest.
      assert.equal(latestOf(home), generated.latest);
      assert.equal(our, (await peer.get(home, text)).tag, JSON.stringify(generated));
      assert.equal(`m:${latestOf(home)?.trim()}`, our);
    }
  });
});

test("an empty latest file fails the real get; ours goes on with the newest, and a check offers the repair", async () => {
  const home = homeWith({ versions: { v1: 1, v2: 2 }, latest: "" });
  assert.match(String(await theirs(peer.get(home, "m"))), /does not contain a 'model.yaml'/);
  assert.equal(formatTag(new ModelStore(home).get("m").tag), "m:v2");
  assert.deepEqual(
    new ModelStore(home).check().problems.map(({ kind }) => kind),
    ["latest.torn"],
  );
});

test("get name:version takes the version itself, else the only one that begins so, else says which there are", async () => {
  await always(async (generated) => {
    const home = homeWith(generated);
    const store = new ModelStore(home);
    for (const text of ["v1", "v", "a", "ab", "x", "x.1", "z"]) {
      const our = ours(() => formatTag(store.get(`m:${text}`).tag));
      const their = await theirs(peer.get(home, `m:${text}`).then(({ tag }) => tag));
      const listed = /Multiple m versions found: (.*)$/.exec(their);
      if (listed) {
        // The real one names them in the order of the file system.
        const names = (listed[1] ?? "").split(", ").sort();
        assert.equal(our, `tag.ambiguous: Multiple m versions found: ${names.join(", ")}.`);
      } else if (their.startsWith("NotFound")) {
        assert.match(their, new RegExp(`Model 'm:${text}' is not found in BentoML store ${home}/models`));
        assert.equal(our, `model.notFound: Model 'm:${text}' is not found in the store ${home}/models.`);
      } else assert.equal(our, their);
    }
  });
});

test("a name that is not there is said not to exist, in both", async () => {
  const home = homeWith({ versions: { v1: 1 }, latest: "v1" });
  const their = String(await theirs(peer.get(home, "none")));
  assert.equal(their, `NotFound: no Models with name 'none' exist in BentoML store ${home}/models`);
  assert.equal(
    ours(() => new ModelStore(home).get("none")),
    `model.notFound: No models with name 'none' exist in the store ${home}/models.`,
  );
});

test("a lookup writes the version into the real one's Tag; ours has none to write into", async () => {
  const home = homeWith({ versions: { v1: 1 }, latest: "v1" });
  assert.equal(await peer.resolve(home, "m"), "m:v1");
  const tag = Object.freeze({ name: "m", version: "v1" });
  assert.deepEqual(new ModelStore(home).open(tag).tag, tag);
});

test("list has every version by name and by version as text, and plain files do not count", async () => {
  await always(async (generated) => {
    const home = homeWith(generated);
    writeFileSync(join(home, "models/README"), "no model");
    writeFileSync(join(home, "models/m/notes.txt"), "no model");
    const our = new ModelStore(home).list().models.map(({ tag }) => formatTag(tag));
    assert.deepEqual(
      our,
      (await peer.list(home)).map(({ tag }) => tag),
    );
  });
});

test("list name:version is exact: no beginning, and latest is no version", async () => {
  await always(async (generated) => {
    const home = homeWith(generated);
    for (const text of ["m", "m:v1", "m:v", "m:a", "m:latest", "m:z"]) {
      const our = new ModelStore(home).list(text).models.map(({ tag }) => formatTag(tag));
      assert.deepEqual(
        our,
        (await peer.list(home, text)).map(({ tag }) => tag),
        text,
      );
    }
  });
  const home = newHome();
  assert.match(String(await theirs(peer.list(home, "none"))), /^NotFound: no Models with name 'none' found$/);
  assert.match(String(ours(() => new ModelStore(home).list("none"))), /^model.notFound: No models with name 'none'/);
});

test("one broken folder fails the real list whole; ours lists the rest and names it", async () => {
  const home = homeWith({ versions: { v1: 1, v2: 2 }, latest: "v2" });
  mkdirSync(join(home, "models/m/half"));
  assert.match(String(await theirs(peer.list(home))), /does not contain a 'model.yaml'/);
  const { models, broken } = new ModelStore(home).list();
  assert.deepEqual([models.length, broken.map(({ path }) => path)], [2, [join(home, "models/m/half")]]);
});

test("saving and importing what is there fails in both and changes nothing", async () => {
  const home = homeWith({ versions: { v1: 1, v2: 2 }, latest: "v1" });
  const archive = join(temp, "existing.bentomodel");
  await runExportModel({ home, tag: "m:v1", destination: archive }, {});
  const exists = `BentoMLException: Item 'm:v1' already exists in the store ${home}/models`;
  assert.equal(await theirs(peer.save(home, "m:v1", {})), exists);
  assert.equal(await theirs(peer.import(home, archive)), exists);
  const store = new ModelStore(home);
  await assert.rejects(store.save(draftOf("m", "v1"), []), { code: "model.exists", message: /m:v1 already exists/ });
  await assert.rejects(runImportArchive({ home, source: archive, onConflict: "fail" }, {}), { code: "model.exists" });
  assert.equal(latestOf(home), "v1");
  assert.deepEqual(readdirSync(join(home, "models/m")).sort(), ["latest", "v1", "v2"]);
});

test("latest follows an import when it is not older than what latest names, or when there is no latest", async () => {
  await always(async (generated) => {
    for (const made of [1, 3, 5]) {
      const source = newHome();
      plant(source, "m", "new", day(made));
      const archive = join(temp, `made${homes}.bentomodel`);
      await runExportModel({ home: source, tag: "m:new", destination: archive }, {});
      const [our, their] = [homeWith(generated), homeWith(generated)];
      await runImportArchive({ home: our, source: archive, onConflict: "fail" }, {});
      await peer.import(their, archive);
      assert.equal(
        latestOf(our)?.trim(),
        latestOf(their)?.trim(),
        `${JSON.stringify(generated)} and one of day ${made}`,
      );
    }
  });
});

test("deleting what latest names moves it to the newest that is left, and the last version takes its name along", async () => {
  await always(async (generated) => {
    for (const gone of Object.keys(generated.versions)) {
      const [our, their] = [homeWith(generated), homeWith(generated)];
      await new ModelStore(our).delete({ name: "m", version: gone });
      await peer.delete(their, `m:${gone}`);
      const rest = Object.keys(generated.versions).filter((name) => name !== gone);
      assert.equal(existsSync(join(our, "models/m")), rest.length > 0);
      assert.equal(existsSync(join(their, "models/m")), rest.length > 0);
      if (rest.length === 0) continue;
      const wasLatest = generated.latest?.trim() === gone;
      // The real one finds latest anew after every deletion; ours leaves alone what names another version, because
      // deleting one version must not change what another program gets under the name.
      assert.equal(
        latestOf(our),
        wasLatest ? latestOf(their) : generated.latest,
        `${JSON.stringify(generated)} ${gone}`,
      );
    }
  });
});

test("a beginning of a version deletes nothing, in both", async () => {
  const home = homeWith({ versions: { abc: 1 }, latest: "abc" });
  assert.match(String(await theirs(peer.delete(home, "m:ab"))), /^NotFound: Model 'm:ab' not found$/);
  await assert.rejects(new ModelStore(home).delete({ name: "m", version: "ab" }), { code: "model.notFound" });
  assert.ok(existsSync(join(home, "models/m/abc")));
});

test("delete name:latest goes by the file; without it the real one silently does nothing, ours says so", async () => {
  const home = homeWith({ versions: { v1: 1, v2: 2 }, latest: undefined });
  await peer.delete(home, "m:latest");
  assert.deepEqual(readdirSync(join(home, "models/m")).sort(), ["v1", "v2"]);
  await assert.rejects(new ModelStore(home).delete({ name: "m", version: "latest" }), { code: "model.notFound" });
  writeFileSync(latestFile(home), "v1");
  await peer.delete(home, "m:latest");
  assert.deepEqual(readdirSync(join(home, "models/m")).sort(), ["latest", "v2"]);
});

test("the real API deletes all versions of a bare name without a word; ours takes one version at a time", async () => {
  const home = homeWith({ versions: { v1: 1, v2: 2 }, latest: "v2" });
  await peer.delete(home, "m");
  assert.equal(existsSync(join(home, "models/m")), false);
  // A Tag of ours always has a version: the type alone keeps a whole name from being passed.
  const [our] = [homeWith({ versions: { v1: 1, v2: 2 }, latest: "v2" })];
  await assert.rejects(new ModelStore(our).delete({ name: "m", version: "" }), { code: "model.notFound" });
  assert.deepEqual(readdirSync(join(our, "models/m")).sort(), ["latest", "v1", "v2"]);
});

test("a version called latest wrecks a name of the real one; ours reserves the word, and reads such a store", async () => {
  const home = newHome();
  await assert.rejects(new ModelStore(home).save(draftOf("m", "latest"), []), { code: "tag.invalid" });
  assert.deepEqual(readdirSync(join(home, "models")), []);
  assert.match(String(await theirs(peer.save(home, "m:latest", {}))), /IsADirectoryError/);
  assert.match(String(await theirs(peer.save(home, "m:v1", {}))), /IsADirectoryError/);
  const versions = new ModelStore(home).list("m").models.map(({ tag }) => tag.version);
  assert.ok(versions.includes("latest"), versions.join());
});

test("a file that names another tag than its folder counts under the tag in the file, in both; ours warns", async () => {
  const home = homeWith({ versions: { v1: 1 }, latest: "v1" });
  const path = join(home, "models/m/v1/model.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("version: v1", "version: v7"));
  const { models } = new ModelStore(home).list();
  assert.deepEqual(
    models.map(({ tag }) => formatTag(tag)),
    (await peer.list(home)).map(({ tag }) => tag),
  );
  assert.equal(formatTag(new ModelStore(home).get("m:v1").tag), (await peer.get(home, "m:v1")).tag);
  assert.deepEqual(
    models[0]?.warnings.map(({ code }) => code),
    ["tag.mismatch"],
  );
});

test("a time without a zone beside one with a zone stops the real one; for ours it is local time", async () => {
  const [our, their] = [newHome(), newHome()];
  for (const home of [our, their]) {
    plant(home, "m", "v1", "2024-01-01T00:00:00");
    plant(home, "m", "v2", "2024-01-03T00:00:00+00:00");
    plant(home, "m", "v3", "2024-01-02T00:00:00+00:00");
    writeFileSync(latestFile(home), "v3");
  }
  assert.match(String(await theirs(peer.delete(their, "m:v3"))), /TypeError: can't compare/);
  await new ModelStore(our).delete({ name: "m", version: "v3" });
  assert.equal(latestOf(our), "v2");
});

test("of versions made at one time get takes the first by name and delete leaves the last, in both", async () => {
  const versions = { b: 1, a: 1, c: 1, d: 1 };
  const [our, their] = [homeWith({ versions, latest: undefined }), homeWith({ versions, latest: undefined })];
  assert.equal(formatTag(new ModelStore(our).get("m").tag), (await peer.get(their, "m")).tag);
  writeFileSync(latestFile(our), "d");
  await new ModelStore(our).delete({ name: "m", version: "d" });
  await peer.delete(their, "m:d");
  assert.equal(latestOf(our), latestOf(their));
});

test("what is no tag is refused with the real one's reason", async () => {
  const home = newHome();
  for (const text of ["a_", "-a", "a/b", "é", "a b", "a".repeat(64), `${"a".repeat(64)}_`, "m:a_", "a:b:c", "", "m:"]) {
    const their = String(await theirs(peer.resolve(home, text)));
    const our = String(ours(() => new ModelStore(home).get(text)));
    assert.match(our, /^tag\.invalid: /, text);
    for (const rule of [/must consist of lowercase alphanumeric characters/, /must be at most 63 characters/]) {
      if (rule.test(their)) assert.match(our, rule, text);
    }
    assert.doesNotMatch(their, /NotFound/, text);
  }
  assert.equal(String(ours(() => new ModelStore(home).get("m:"))), "tag.invalid: m: contains trailing ':'.");
});
