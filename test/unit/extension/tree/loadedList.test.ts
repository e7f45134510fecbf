import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Emitter } from "../../../../src/base/events";
import type { RunningModel } from "../../../../src/extension/runningModel";
import { LoadedList } from "../../../../src/extension/tree/loadedList";
import { running, t } from "../fakes";

const MIB = 1024 ** 2;

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 6, 28) }));
afterEach(() => mock.timers.reset());

/** A list over models that a test changes, with the processes that were measured. */
function make(models: RunningModel[] = []) {
  const changed = new Emitter<void>();
  const measured: number[][] = [];
  const memory = new Map<number, number>();
  const state = { models, drawn: 0, reads: 0 };
  const list = new LoadedList({
    loaded: async () => {
      state.reads += 1;
      return state.models;
    },
    onDidChangeLoaded: changed.event,
    memory: async (pids) => {
      measured.push([...pids]);
      return new Map(pids.flatMap((pid) => (memory.has(pid) ? [[pid, memory.get(pid) ?? 0]] : [])));
    },
    context: () => ({ t, nowMs: Date.now(), storeLabel: () => undefined }),
  });
  list.onDidChange(() => (state.drawn += 1));
  const become = async (next: RunningModel[]) => {
    state.models = next;
    changed.fire();
    await pass(200);
  };
  return { list, measured, memory, state, changed, become };
}

/** Lets time pass, and what was due end. */
async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
}

const iris = running({ store: "own", tag: "iris:v1" }, { pid: 7 });
const digits = running({ store: "own", tag: "digits:v1" }, { pid: 8 });

test("a hidden view reads no process and runs no timer, whatever is loaded", async () => {
  const { list, measured, state, become } = make();
  await become([iris]);
  assert.deepEqual(
    list.rows.map(({ tag }) => tag),
    ["iris:v1"],
  );
  const { reads } = state;
  await pass(60_000);
  assert.deepEqual([measured, state.reads], [[], reads]);
});

test("a view without a model reads no process and runs no timer", async () => {
  const { list, measured, state } = make();
  list.setSeen(true);
  await pass(60_000);
  assert.deepEqual([measured, state.reads], [[], 1]);
});

test("a seen model is measured at once and every three seconds, until it is hidden or gone", async () => {
  const { list, measured, memory, become } = make([iris]);
  memory.set(7, 38 * MIB);
  list.setSeen(true);
  await pass(0);
  assert.match(list.rows[0]?.row.description ?? "", /38 MiB/);
  memory.set(7, 39 * MIB);
  await pass(3_000);
  assert.match(list.rows[0]?.row.description ?? "", /39 MiB/);
  assert.equal(measured.length, 2);
  list.setSeen(false);
  await pass(30_000);
  assert.equal(measured.length, 2);
  list.setSeen(true);
  await pass(0);
  assert.equal(measured.length, 3);
  await become([]);
  await pass(30_000);
  assert.deepEqual([measured.length, list.rows], [3, []]);
});

test("another process is measured without waiting, and a busy one no oftener than else", async () => {
  const { list, measured, state, changed, become } = make([iris]);
  list.setSeen(true);
  await pass(0);
  await become([iris, digits]);
  assert.deepEqual(measured, [[7], [7, 8]]);
  const { reads } = state;
  for (let i = 0; i < 10; i++) changed.fire();
  await pass(200);
  assert.equal(state.reads, reads + 1, "events of one moment are one look");
  assert.deepEqual(measured.length, 2, "nothing is measured again so soon");
});

test("rows that look the same are not drawn again", async () => {
  const { list, state, become } = make([iris]);
  list.setSeen(true);
  await pass(0);
  const { drawn } = state;
  await pass(30_000);
  assert.equal(state.drawn, drawn);
  await become([{ ...iris, state: "busy", waiting: 2 }]);
  assert.equal(state.drawn, drawn + 1);
  await become([{ ...iris, unloadsAtMs: Date.now() + 5 * 60_000 }]);
  assert.match(list.rows[0]?.row.description ?? "", /unloads in 5 min/);
  for (let sample = 0; sample < 30; sample++) await pass(3_000);
  assert.match(list.rows[0]?.row.description ?? "", /unloads in 4 min/);
});

test("rows stay in the order of their tags, whichever model was used last", async () => {
  const { list, become } = make();
  const tags = () => list.rows.map(({ store, tag }) => `${store}/${tag}`);
  const other = running({ store: "home:/data", tag: "iris:v1" });
  await become([iris, other, digits]);
  assert.deepEqual(tags(), ["own/digits:v1", "home:/data/iris:v1", "own/iris:v1"]);
  await become([digits, iris, other]);
  assert.deepEqual(tags(), ["own/digits:v1", "home:/data/iris:v1", "own/iris:v1"]);
});

test("of two looks under way the later one counts, and none after the end", async () => {
  const answers: ((models: RunningModel[]) => void)[] = [];
  const changed = new Emitter<void>();
  const list = new LoadedList({
    loaded: () => new Promise((resolve) => answers.push(resolve)),
    onDidChangeLoaded: changed.event,
    memory: async () => new Map(),
    context: () => ({ t, nowMs: 0, storeLabel: () => undefined }),
  });
  const looks = [list.look(), list.look()];
  answers[1]?.([digits]);
  answers[0]?.([iris]);
  await Promise.all(looks);
  const tags = () => list.rows.map(({ tag }) => tag);
  assert.deepEqual(tags(), ["digits:v1"]);
  const last = list.look();
  list.dispose();
  answers[2]?.([iris]);
  await last;
  assert.deepEqual(tags(), ["digits:v1"]);
});
