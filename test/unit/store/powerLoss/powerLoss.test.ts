import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { ModelStore } from "../../../../src/store/modelStore";
import { formatTag } from "../../../../src/store/tag";
import { runRandom } from "../../../fixtures/random";
import { type Files, filesOf, homeOf, prepareWorld, STORE_CHANGES, type World } from "../../../fixtures/storeChanges";
import { bundleChangeProcess, tracedCalls } from "../../../fixtures/straced";
import { missing } from "../../../optional";
import { namesIn, tempFolder } from "../storeKit";
import { LossyDisk } from "./lossyDisk";

/** Power cuts replayed in one run, all changes together. */
const CUTS = process.env["MODELBENCH_SOAK"] === "1" ? 100_000 : 10_000;

test("a power cut at any moment tears no model and loses nothing that was acknowledged", {
  skip: missing("ptrace"),
}, async (t) => {
  const temp = tempFolder();
  try {
    const world = await prepareWorld(temp.path, 20_000);
    const bundle = await bundleChangeProcess(temp.path);
    const random = runRandom();
    const ofEach = Math.ceil(CUTS / Object.keys(STORE_CHANGES).length);
    let cuts = 0;
    for (const change of Object.keys(STORE_CHANGES)) {
      const replay = new Replay(world, join(temp.path, "left"), change);
      await replay.run(join(temp.path, "copy"), bundle, ofEach, random);
      cuts += replay.cuts;
      t.diagnostic(`${change}: ${replay.cuts} cuts in ${replay.moments} moments, ${replay.states} different disks`);
    }
    assert.ok(cuts >= CUTS, `only ${cuts} cuts`);
  } finally {
    temp.remove();
  }
});

/** One change, cut off again and again. */
class Replay {
  cuts = 0;
  moments = 0;
  readonly #world: World;
  readonly #left: string;
  readonly #change: string;
  readonly #seen = new Set<string>();

  constructor(world: World, left: string, change: string) {
    this.#world = world;
    this.#left = left;
    this.#change = change;
  }

  get states(): number {
    return this.#seen.size;
  }

  async run(copy: string, bundle: string, cuts: number, random: () => number): Promise<void> {
    rmSync(copy, { recursive: true, force: true });
    cpSync(this.#world.before, copy, { recursive: true, preserveTimestamps: true });
    const disk = new LossyDisk(copy);
    const calls = tracedCalls({ bundle, world: this.#world, copy, change: this.#change }, `${copy}.log`);
    const followed = calls.map((call) => () => disk.follow(call));
    // Twice: the first time only counts the moments, so that the cuts can be spread over them.
    const counting = new LossyDisk(copyBefore(this.#world, copy));
    this.moments = calls.filter((call) => counting.follow(call)).length;
    const ofEach = Math.ceil(cuts / this.moments);
    for (const [i, follow] of followed.entries()) {
      const isChange = follow();
      const isLast = i === followed.length - 1;
      if (isChange || isLast) for (let n = 0; n < ofEach; n++) await this.#cut(disk, i, isLast, random);
    }
  }

  async #cut(disk: LossyDisk, moment: number, acknowledged: boolean, random: () => number): Promise<void> {
    this.cuts += 1;
    const state = disk.cut(random);
    const digest = createHash("sha256").update(String(acknowledged));
    for (const [path, content] of state) digest.update(path).update(content ?? "folder");
    const key = digest.digest("hex");
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    rmSync(this.#left, { recursive: true, force: true });
    mkdirSync(this.#left, { recursive: true });
    // A machine takes longer than this to come back.
    const bootedSeconds = Date.now() / 1000 - 5;
    for (const [path, content] of state) {
      if (content) writeFileSync(join(this.#left, path), content);
      else mkdirSync(join(this.#left, path));
    }
    for (const path of state.keys()) utimesSync(join(this.#left, path), bootedSeconds, bootedSeconds);
    await this.#assertSurvives(acknowledged).catch((error) => {
      const shown = [...state].map(([path, content]) => `${path} ${content?.length ?? "folder"}`).join("\n");
      throw new Error(
        `${this.#change}, after call ${moment}\n${shown}\n${error instanceof Error ? error.stack : error}`,
      );
    });
  }

  async #assertSurvives(acknowledged: boolean): Promise<void> {
    const store = new ModelStore(homeOf(this.#left, this.#change));
    this.#assertWhole(store);
    await store.sweepStaging();
    assert.deepEqual(namesIn(join(store.home, ".modelbench/staging")), [], "leftovers");
    this.#assertWhole(store);
    const listed = store.list().models.map(({ tag }) => tag.version);
    const kept = new Set([...listed, ...store.trash().map(({ tag }) => tag.version)]);
    const { keeps, versions } = STORE_CHANGES[this.#change] ?? assert.fail();
    for (const version of keeps) assert.ok(kept.has(version), `${version} is lost`);
    if (acknowledged)
      for (const version of versions) assert.ok(listed.includes(version), `${version} was acknowledged`);
    await this.#assertExported(acknowledged);
  }

  #assertWhole(store: ModelStore): void {
    const { models, broken } = store.list();
    assert.deepEqual(broken, []);
    for (const { tag, path } of models) this.#assertForm(tag.version, filesOf(path), formatTag(tag));
    for (const { id, tag } of store.trash()) {
      this.#assertForm(tag.version, filesOf(join(store.home, ".modelbench/trash", id, "model")), id);
    }
    if (models.length > 0) store.get("m");
    const isDamaged = STORE_CHANGES[this.#change]?.home === "damaged";
    const expected = ["staging.leftover", ...(isDamaged ? ["tag.mismatch", "latest.dangling"] : [])];
    const problems = store.check().problems.filter(({ kind }) => !expected.includes(kind));
    assert.deepEqual(problems, []);
  }

  #assertForm(version: string, files: Files, what: string): void {
    const text = JSON.stringify(files);
    const forms = this.#world.wholes[version] ?? [];
    assert.ok(
      forms.some((form) => JSON.stringify(form) === text),
      `${what} is torn: ${text.slice(0, 200)}`,
    );
  }

  async #assertExported(acknowledged: boolean): Promise<void> {
    const archive = join(this.#left, "exports/m.bentomodel");
    if (this.#change !== "export" || (!existsSync(archive) && !acknowledged)) return;
    const scratch = new ModelStore(join(this.#left, "scratch"));
    await importArchive(scratch, { source: archive, onConflict: "fail", dryRun: true });
  }
}

/** The folder as it was before the change, at the same path, so that the calls fit. */
function copyBefore(world: World, copy: string): string {
  rmSync(copy, { recursive: true, force: true });
  cpSync(world.before, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}
