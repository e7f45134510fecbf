import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { RunningModel } from "../../../../src/extension/runningModel";
import { type LoadedRowContext, loadedRow } from "../../../../src/extension/tree/loadedRow";
import { running, t } from "../fakes";

const NOW = Date.UTC(2026, 6, 28, 12);
const MIB = 1024 ** 2;
const MINUTE = 60_000;
const context: LoadedRowContext = { t, nowMs: NOW, storeLabel: () => undefined };

function drawn(facts: Partial<RunningModel>, bytes?: number, parts: Partial<LoadedRowContext> = {}): string {
  const model = { ...running({ store: "own", tag: "iris_clf:v2" }, facts), bytes };
  const row = loadedRow(model, { ...context, ...parts });
  return [
    `(${row.icon}${row.warns ? "!" : ""}) ${row.label} | ${row.description}`,
    `    id=${row.id} context="${row.contextValue}"`,
    `    says "${row.spoken}"`,
    ...row
      .tooltip()
      .split("\n")
      .map((line) => `    tip ${line.trimEnd()}`),
  ].join("\n");
}

test("a row says what its model is doing, how long it stays, what it costs and what it did", () => {
  const failure = {
    message: "iris_clf:v2: the runner process ran out of memory; its last words: bad_alloc.",
    remedy: "Load the model again.",
  };
  const rows = [
    drawn({ state: "loading", busy: true, pid: 8 }),
    drawn({ unloadsAtMs: NOW + 4 * MINUTE - 500, answered: 12 }, 38.4 * MIB),
    drawn({ state: "busy", busy: true, answered: 1, waiting: 3, device: "cuda:0" }, 2.26 * 1024 * MIB),
    drawn({ state: "failed", pid: undefined, failure, unloadsAtMs: NOW + MINUTE }),
    drawn({ state: "warm", pid: 9, unloadsAtMs: NOW + 10 * MINUTE }, 41 * MIB),
    drawn({ unloadsAtMs: undefined }, 38 * MIB, { storeLabel: () => "Sample Store" }),
  ];
  const path = "test/unit/extension/tree/golden/loaded.txt";
  const text = `${rows.join("\n")}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
});

test("the time left is rounded up, in minutes or hours, and said of no model that is used or stays", () => {
  const left = (ms: number | undefined) =>
    loadedRow(
      { ...running({ store: "own", tag: "a:b" }, { unloadsAtMs: ms === undefined ? ms : NOW + ms }), bytes: undefined },
      context,
    ).description.split(" · ")[0];
  const hour = 60 * MINUTE;
  assert.deepEqual(
    [-MINUTE, 0, MINUTE, MINUTE + 1, 119.2 * MINUTE, 2 * hour, 2 * hour + 1, 24 * hour, undefined].map(left),
    [
      ...["unloads within a minute", "unloads within a minute", "unloads within a minute", "unloads in 2 min"],
      ...["unloads in 120 min", "unloads in 120 min", "unloads in 3 h", "unloads in 24 h", "cpu"],
    ],
  );
});

test("what a process printed cannot turn into markup or reorder the row", () => {
  const message = "a:b: it said [click](command:x) \u202e**no**";
  const model = running({ store: "own", tag: "a:b" }, { state: "failed", failure: { message, remedy: undefined } });
  const row = loadedRow({ ...model, bytes: undefined }, context);
  assert.ok(row.tooltip().includes("\\[click\\]\\(command\\:x\\)"), row.tooltip());
  for (const text of [row.description, row.spoken, row.tooltip()]) assert.doesNotMatch(text, /\u202e/);
});
