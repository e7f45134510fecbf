import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { watchStore } from "../../../src/store/watch";
import { plant, tempFolder } from "./storeKit";

/** Runs `body` with a watch on a fresh home and a way to wait for what it tells. */
async function watching(
  prepare: (home: string) => void,
  body: (kit: { home: string; watch: ReturnType<typeof watchStore>; told: Told }) => Promise<void>,
): Promise<void> {
  const temp = tempFolder();
  const home = join(temp.path, "home");
  prepare(home);
  const told = new Told();
  const watch = watchStore(home, { onChange: (name) => told.add(name) });
  // The watch itself keeps no process alive, and this test is one.
  const alive = setInterval(() => undefined, 1000);
  try {
    await body({ home, watch, told });
  } finally {
    clearInterval(alive);
    watch.dispose();
    temp.remove();
  }
}

class Told {
  readonly #seen: (string | undefined)[] = [];
  #wake = (): void => undefined;

  add(name: string | undefined): void {
    this.#seen.push(name);
    this.#wake();
  }

  /** Answers once `name`, or "any of them", has been told; forgets what came before. */
  async waitFor(name: string): Promise<void> {
    for (;;) {
      const at = this.#seen.findIndex((seen) => seen === undefined || seen === name);
      if (at >= 0) {
        this.#seen.splice(0, at + 1);
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async settled(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 250));
    return this.#seen.splice(0).length;
  }
}

test("a new name is told", () =>
  watching(
    (home) => plant(home, "old", "v1"),
    async ({ home, told }) => {
      plant(home, "fresh", "v1");
      await told.waitFor("fresh");
    },
  ));

test("a store that is made later is found", () =>
  watching(
    () => undefined,
    async ({ home, told }) => {
      plant(home, "fresh", "v1");
      await told.waitFor("fresh");
      await told.settled();
      plant(home, "second", "v1");
      await told.waitFor("second");
    },
  ));

test("a store that is removed and made again is watched on", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, told }) => {
      rmSync(home, { recursive: true });
      await told.waitFor("m");
      await told.settled();
      plant(home, "again", "v1");
      await told.waitFor("again");
      await told.settled();
      plant(home, "later", "v1");
      await told.waitFor("later");
    },
  ));

test("changes inside a name are told only while the name is watched", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, watch, told }) => {
      plant(home, "m", "v2");
      assert.equal(await told.settled(), 0);
      watch.watchName("m");
      plant(home, "m", "v3");
      await told.waitFor("m");
      await told.settled();
      writeFileSync(join(home, "models", "m", "latest"), "v3");
      await told.waitFor("m");
      watch.unwatchName("m");
      await told.settled();
      plant(home, "m", "v4");
      assert.equal(await told.settled(), 0);
    },
  ));

test("a watched name that is removed and made again is watched on", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, watch, told }) => {
      watch.watchName("m");
      rmSync(join(home, "models", "m"), { recursive: true });
      await told.waitFor("m");
      await told.settled();
      plant(home, "m", "v1");
      await told.waitFor("m");
      await told.settled();
      plant(home, "m", "v2");
      await told.waitFor("m");
    },
  ));

test("models/ replaced by another folder is watched on", () =>
  watching(
    (home) => {
      plant(home, "m", "v1");
      plant(join(home, "other"), "n", "v1");
    },
    async ({ home, told }) => {
      renameSync(join(home, "models"), join(home, "away"));
      renameSync(join(home, "other", "models"), join(home, "models"));
      await told.waitFor("n");
      await told.settled();
      plant(home, "fresh", "v1");
      await told.waitFor("fresh");
    },
  ));

test("a new name is told again when its version is complete, though nobody watches it", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, told }) => {
      mkdirSync(join(home, "models", "slow", "v1"), { recursive: true });
      await told.waitFor("slow");
      await told.settled();
      writeFileSync(join(home, "models", "slow", "latest"), "v1");
      await told.waitFor("slow");
    },
  ));

test("many changes in a moment are told once a name", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, watch, told }) => {
      watch.watchName("m");
      for (let i = 0; i < 20; i++) writeFileSync(join(home, "models", "m", "latest"), `v${i}`);
      assert.equal(await told.settled(), 1);
    },
  ));

test("nothing is told after the end", () =>
  watching(
    (home) => plant(home, "m", "v1"),
    async ({ home, watch, told }) => {
      plant(home, "n", "v1");
      watch.dispose();
      assert.equal(await told.settled(), 0);
    },
  ));
