import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { gzipSync } from "node:zlib";
import { ModelbenchError } from "../../../../src/base/errors";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { ModelStore } from "../../../../src/store/modelStore";
import { archiveCases, CANARY, inContainers, modelYaml } from "../../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../../fixtures/rawTar";
import { treeOf } from "../../../fixtures/tree";
import { tempFolder } from "../storeKit";
import { readThroughGate } from "./readThroughGate";

const { path: folder, remove } = tempFolder();
after(remove);

interface Outcome {
  readonly error: ModelbenchError | undefined;
  readonly models: readonly string[];
  readonly tree: ReadonlyMap<string, string | undefined> | undefined;
}

/** Imports into a fresh store two folders deep and checks what must hold whatever the archive is. */
async function attempt(archive: Buffer, name: string): Promise<Outcome> {
  const area = mkdtempSync(join(folder, "case-"));
  try {
    const home = join(area, "up", "home");
    mkdirSync(home, { recursive: true });
    const source = join(area, name);
    writeFileSync(source, archive);
    const store = new ModelStore(home);
    const prototype = Object.getOwnPropertyNames(Object.prototype).join();
    let error: unknown;
    try {
      await importArchive(store, { source, onConflict: "fail" });
    } catch (thrown) {
      error = thrown;
    }
    assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), prototype);
    assert.ok(error === undefined || error instanceof ModelbenchError, `not ours: ${error}`);
    assertQuiet(error);
    const staging = join(home, ".modelbench", "staging");
    assert.deepEqual(existsSync(staging) ? readdirSync(staging) : [], []);
    assert.deepEqual(readdirSync(area).sort(), [name, "up"].sort());
    assert.deepEqual(readdirSync(join(area, "up")), ["home"]);
    const { models, broken } = store.list();
    assert.deepEqual(broken, []);
    if (error) assert.deepEqual(existsSync(join(home, "models")) ? readdirSync(join(home, "models")) : [], []);
    const first = models[0];
    return {
      error,
      models: models.map(({ tag }) => `${tag.name}:${tag.version}`),
      tree: first && treeOf(first.path),
    };
  } finally {
    rmSync(area, { recursive: true, force: true });
  }
}

function assertQuiet(error: ModelbenchError | undefined): void {
  for (const text of [error?.message ?? "", error?.remedy ?? ""]) {
    assert.ok(text.length <= 2000, `${text.length} characters`);
    assert.doesNotMatch(text, /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
  }
}

for (const { id, tar, refusedAs } of archiveCases()) {
  test(`${id} is ${refusedAs === undefined ? "imported" : `refused as ${refusedAs}`} in every container`, async () => {
    for (const [extension, archive] of await inContainers(tar)) {
      const { error, models, tree } = await attempt(archive, `case.${extension}`);
      if (refusedAs === undefined) {
        assert.equal(error, undefined, `${extension}: ${error?.message}`);
        assert.deepEqual(models, ["hostile_model:v1"]);
        assert.ok(tree?.has("model.yaml"));
      } else {
        // Gzip does not say how much it holds, so what tar and xz call damaged is there called too large.
        const code = extension === "tar.gz" && id.includes("tebibyte") ? "archive.unsafe" : refusedAs;
        assert.equal(error?.code, code, `${extension}: ${error?.message ?? "accepted"}`);
        assert.deepEqual(models, []);
      }
    }
  });
}

const small = () =>
  tarOf(
    rawMember({ name: "./model.yaml", content: modelYaml() }),
    rawMember({ name: "./w", content: Buffer.alloc(100, 3) }),
  );

test("a small archive cut at any byte is refused, or complete", async () => {
  const whole = await readThroughGate(small());
  for (const [extension, archive] of await inContainers(small())) {
    for (let end = 0; end < archive.length; end++) {
      const part = archive.subarray(0, end);
      const outcome = await readThroughGate(part);
      const place = `${extension} cut at ${end}`;
      if (typeof outcome === "string") assert.match(outcome, /^archive\.(corrupt|format)$/, place);
      else assert.deepEqual(outcome, whole, place);
      if (end % 250 === 0) assert.equal((await attempt(part, `cut.${extension}`)).error?.code, outcome, place);
    }
  }
});

test("a turned bit in a small .bentomodel or .tar.gz is refused or changes nothing", async () => {
  const whole = await readThroughGate(small());
  for (const [extension, archive] of (await inContainers(small())).filter(([name]) => name !== "tar")) {
    for (let bit = 0; bit < archive.length * 8; bit++) {
      const turned = Buffer.from(archive);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await readThroughGate(turned);
      const place = `${extension} bit ${bit}`;
      if (typeof outcome === "string") assert.match(outcome, /^archive\./, place);
      else assert.deepEqual(outcome, whole, place);
    }
  }
});

test("garbage and zeros behind a gzip member are refused, a second member is part of the content", async () => {
  const tar = small();
  for (const tail of [Buffer.from("garbage"), Buffer.alloc(100), Buffer.from([0x1f, 0x8b])]) {
    const { error } = await attempt(Buffer.concat([gzipSync(tar), tail]), "tail.tar.gz");
    assert.equal(error?.code, "archive.corrupt", tail.toString("hex"));
  }
  const split = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
  assert.equal((await attempt(split, "split.tar.gz")).error, undefined);
});

test("the name of an archive says nothing about what it is", async () => {
  for (const [extension, archive] of await inContainers(small())) {
    const { error } = await attempt(archive, `renamed-${extension}.zip`);
    assert.equal(error, undefined, `${extension}: ${error?.message}`);
  }
});

test("what is no archive, and what only begins like one, is named as such", async () => {
  const cases: readonly (readonly [string, Buffer, string, RegExp])[] = [
    ["page.bentomodel", Buffer.from("<html>not found</html>"), "archive.format", /no archive/],
    ["empty.tar", Buffer.alloc(0), "archive.format", /no archive/],
    ["a.zip", Buffer.from("PK\x03\x04rest", "latin1"), "archive.corrupt", /Damaged zip/],
    ["a.tar.bz2", Buffer.from("BZh91AY&SY"), "archive.corrupt", /Damaged bzip2/],
  ];
  for (const [name, bytes, code, pattern] of cases) {
    const { error } = await attempt(bytes, name);
    assert.equal(error?.code, code);
    assert.match(error?.message ?? "", pattern);
  }
});

test("no hostile name leaves a trace of its canary anywhere", async () => {
  const { tree } = await attempt(
    archiveCases().find(({ id }) => id === "ok: tilde folder")?.tar ?? Buffer.alloc(0),
    "t.tar",
  );
  assert.ok(tree?.has(`~/${CANARY}`), "a tilde is a plain folder inside the model");
});
