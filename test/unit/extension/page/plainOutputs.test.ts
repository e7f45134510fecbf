import assert from "node:assert/strict";
import { test } from "node:test";
import { summarize } from "../../../../src/extension/page/runSummary";
import { outputView, tableRows } from "../../../../src/extension/page/tensorView";
import { encodeStrings } from "../../../../src/formats/elements";
import { WholeFloat } from "../../../../src/formats/jsonExact";
import type { Tensor } from "../../../../src/formats/tensor";
import type { RunOutput } from "../../../../src/runner/protocol";
import { valueStart } from "../../../../src/runner/valueStart";
import type { FrameValue } from "../../../../src/runner/values";
import { type OutputView, outputViewSchema, type Reply } from "../../../../webview/protocol/views";

function plainOutput(value: NonNullable<RunOutput["value"]>, kept?: string): OutputView {
  const view = outputView({
    name: "output",
    dtype: "string",
    shape: [],
    start: valueStart(value),
    ...(kept === undefined ? {} : { kept }),
  });
  assert.deepEqual(outputView({ name: "output", dtype: "string", shape: [], value }).plain, view.plain);
  assert.ok(outputViewSchema.safeParse(view).success);
  return view;
}

function int64s(...values: bigint[]): Tensor {
  return { dtype: "int64", shape: [values.length], data: new Uint8Array(BigInt64Array.from(values).buffer) };
}

const table: FrameValue = {
  container: "dataframe",
  columns: [
    ["n", int64s(1n, 2n ** 62n)],
    ["t", { dtype: "string", shape: [2], data: encodeStrings(["é", "x".repeat(20_000)]) }],
    ["m", { dtype: "string", shape: [2], data: encodeStrings([null, "null"]) }],
    ["f", { dtype: "float32", shape: [2], data: new Uint8Array(Float32Array.of(-0, Number.NaN).buffer) }],
  ],
};

function summary(output: OutputView): string {
  const timing = { loadMs: 0, queueMs: 0, batchMs: 0, runMs: 0 };
  const batch = { batchId: 1, batchSize: 1, batchRequests: 1, batches: 1, device: "cpu" };
  const reply: Reply = { error: null, outputs: [output], unfetchable: [], ...timing, ...batch };
  return summarize(reply, []);
}

test("a value that is no array is shown as JSON with every digit, and summed up on one line", () => {
  const view = plainOutput({ container: "object", value: { label: "cat", scores: [new WholeFloat(1), 2n ** 64n] } });
  assert.deepEqual(view.plain, {
    kind: "json",
    isWhole: true,
    text: '{\n  "label": "cat",\n  "scores": [1.0, 18446744073709551616]\n}',
  });
  assert.equal(summary(view), 'output: { "label": "cat", "scores": [1.0, 18446744073709551616] }');
  assert.equal(summary(plainOutput({ container: "list", items: ["a".repeat(500)] })).length, 120);
});

test("a table is shown by its rows, cells exact, and summed up by its size", () => {
  const view = plainOutput(table);
  assert.deepEqual(view.plain, {
    kind: "table",
    columns: ["n", "t", "m", "f"],
    rows: [
      ["1", "é", null, "-0"],
      ["4611686018427387904", `${"x".repeat(10_000)}…`, "null", "NaN"],
    ],
    count: 2,
  });
  assert.equal(view.pageable, false);
  assert.equal(summary(view), "output: DataFrame [2, 4]");
});

test("more rows of a table are read when they are kept", () => {
  const column = int64s(...Array.from({ length: 1_200 }, (_, i) => BigInt(i)));
  const long: FrameValue = { container: "dataframe", columns: [["n", column]] };
  const view = plainOutput(long, "1-1");
  assert.ok(view.pageable && view.plain?.kind === "table");
  assert.deepEqual([view.plain.rows.length, view.plain.count], [1_000, 1_200]);
  const more = tableRows("output", { container: "dataframe", columns: [["n", int64s(1_000n)]] }, valueStart(long));
  assert.deepEqual(more.plain, { kind: "table", columns: ["n"], rows: [["1000"]], count: 1_200 });
});
