import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStrings } from "../../../src/formats/elements";
import type { Tensor } from "../../../src/formats/tensor";
import { decodeValue, encodeValue, textBody } from "../../../src/runner/valueBodies";
import type { RunValue } from "../../../src/runner/values";
import { decodeReply, decodeRun, encodeRun, type RunReply, startedEvent, startedGroup } from "../../../src/runner/wire";
import { floats } from "./runnerKit";

function thereAndBack(value: RunValue): RunValue {
  // A frame's first bodies may be those of other values.
  const bodies: Tensor[] = [floats(0)];
  const wire: unknown = JSON.parse(JSON.stringify(encodeValue(value, bodies)));
  return decodeValue(wire, bodies);
}

test("values keep their kind, their order and every digit", () => {
  const values: RunValue[] = [
    floats([[1, 2]]),
    { container: "list", items: [] },
    { container: "list", items: [2n ** 64n, -(2n ** 53n) - 2n, 0.1, "NaN", [null, true], { b: 1, a: "é\u2028" }] },
    { container: "object", value: null },
    { container: "object", value: { z: [2n ** 70n], a: "" } },
    { container: "dataframe", columns: [] },
    {
      container: "dataframe",
      columns: [
        ["b", floats([1, 2])],
        ["", floats([3, 4])],
        ["b", floats([5, 6])],
      ],
    },
  ];
  for (const value of values) assert.deepEqual(thereAndBack(value), value);
});

test("a data frame of more columns than a frame has bodies is refused in words", () => {
  const columns = (count: number) => Array.from({ length: count }, (_, i) => [`c${i}`, floats([1])] as const);
  const widest = { container: "dataframe", columns: columns(1_000) } as const;
  assert.deepEqual(thereAndBack(widest), widest);
  const message = "A data frame has 1001 columns, more than 1000.";
  assert.throws(() => encodeValue({ container: "dataframe", columns: columns(1_001) }, []), {
    code: "run.unsupported",
    message,
  });
});

test("what is not finite travels as its name, and -0 as it is", () => {
  const value = thereAndBack({ container: "list", items: [Number.NaN, Number.NEGATIVE_INFINITY, -0] });
  assert.deepEqual(value, { container: "list", items: ["NaN", "-Infinity", -0] });
});

test("what is no value is refused by name", () => {
  const bodies = [textBody("{}"), textBody("[1"), floats([1]), floats([1, 2]), floats([[1]])];
  for (const [wire, code] of [
    [undefined, "protocol.invalid"],
    [7, "protocol.invalid"],
    [{}, "protocol.invalid"],
    [{ tensor: 9 }, "protocol.invalid"],
    [{ tensor: "0" }, "protocol.invalid"],
    [{ list: 0 }, "protocol.invalid"],
    [{ list: 1 }, "format.corrupt"],
    [{ object: 1 }, "format.corrupt"],
    [{ dataframe: 2 }, "protocol.invalid"],
    [{ dataframe: [2] }, "protocol.invalid"],
    [{ dataframe: [[2, "a"]] }, "protocol.invalid"],
    [{ dataframe: [["a", 4]] }, "protocol.invalid"],
    [
      {
        dataframe: [
          ["a", 2],
          ["b", 3],
        ],
      },
      "protocol.invalid",
    ],
  ] as const) {
    assert.throws(() => decodeValue(wire, bodies), { code }, JSON.stringify(wire));
  }
});

test("a text may be missing in a column of a data frame, and in no array", () => {
  const texts: Tensor = { dtype: "string", shape: [2], data: encodeStrings(["a", null]) };
  assert.deepEqual(decodeValue({ dataframe: [["c", 0]] }, [texts]), {
    container: "dataframe",
    columns: [["c", texts]],
  });
  assert.throws(() => decodeValue({ tensor: 0 }, [texts]), { code: "protocol.invalid" });
});

test("a run's inputs and outputs that are no tensors come through their frames", () => {
  const value = { container: "list", items: [2n ** 60n] } as const;
  const { data, bodies } = encodeRun({ method: "m", inputs: {}, batch: true }, [
    ["t", { kind: "tensor", tensor: floats([1]) }],
    ["v", { kind: "value", value }],
  ]);
  const frame = {
    kind: "request",
    id: 1,
    op: "run",
    data: JSON.parse(JSON.stringify(data)) as unknown,
    bodies,
  } as const;
  assert.deepEqual(decodeRun(frame).inputs["v"], { kind: "value", value });
  const reply = { outputs: [{ name: "o", dtype: "string", shape: [], value: { list: 1 } }] } as unknown as RunReply;
  const { outputs } = decodeReply({ ...frame, kind: "result", data: reply });
  assert.deepEqual(outputs, [{ name: "o", dtype: "string", shape: [], value }]);
  const disguised = { ...data, inputs: [["v", { kind: "value", value: { tensor: 0 } }]] };
  assert.throws(() => decodeRun({ ...frame, data: disguised }), { code: "protocol.invalid" });
});

test("only an event names a group that was started, and never that of everything", () => {
  assert.equal(startedGroup(startedEvent(4711)), 4711);
  assert.equal(startedGroup({ ...startedEvent(4711), kind: "result" }), undefined);
  for (const pid of [undefined, "7", 1, 0, -1, 2.5]) {
    assert.equal(startedGroup({ ...startedEvent(0), data: { pid } }), undefined);
  }
});
