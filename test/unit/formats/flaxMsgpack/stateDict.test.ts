import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { fromBytes, msgpackRestore, toBytes } from "../../../../src/formats/flaxMsgpack/serialization";
import {
  currentPath,
  fromStateDict,
  NamedTuple,
  registerSerializationState,
  registerStruct,
  toStateDict,
} from "../../../../src/formats/flaxMsgpack/stateDict";
import type { FlaxArray } from "../../../../src/formats/flaxMsgpack/tree";
import { failsWith } from "../../../fixtures/failures";
import { sampleArray } from "../../../fixtures/flaxTrees";
import { vectorPath } from "../../../fixtures/flaxVectors";

/** A tree as the vectors write it. */
interface Described {
  readonly t: string;
  readonly dtype?: FlaxArray["dtype"];
  readonly shape?: readonly number[];
  readonly items?: Readonly<Record<string, Described>>;
}

interface Case {
  readonly target: Described;
  readonly state: Described;
  readonly flax: {
    readonly ok: boolean;
    readonly error?: string;
    readonly message?: string;
    readonly value?: readonly { path: readonly string[]; dtype: string; shape: readonly number[] }[];
  };
}

class Dc {
  readonly x: unknown;
  readonly y: unknown;
  constructor(x: unknown, y: unknown) {
    this.x = x;
    this.y = y;
  }
}
registerStruct(Dc, ["x", "y"], (_, fields) => new Dc(fields.get("x"), fields.get("y")));

function built({ t, dtype, shape, items = {} }: Described): unknown {
  const entries = Object.entries(items).map(([key, item]) => [key, built(item)] as const);
  if (t === "leaf") return sampleArray(dtype ?? "float32", shape ?? []);
  if (t === "dict" || t === "FrozenDict") return new Map(entries);
  if (t === "list") return entries.map(([, item]) => item);
  if (t === "NT") return new NamedTuple("NT", entries);
  if (t === "Dc") return new Dc(items["x"] && built(items["x"]), items["y"] && built(items["y"]));
  assert.equal(t, "NoneType");
  return null;
}

/** The leaves of a restored object. */
function leaves(
  value: unknown,
  path: readonly string[] = [],
): { path: readonly string[]; dtype: string; shape: readonly number[] }[] {
  if (value instanceof Map) return [...value].flatMap(([key, item]) => leaves(item, [...path, String(key)]));
  const { dtype, shape } = value as FlaxArray;
  return [{ path, dtype, shape }];
}

test("every from_state_dict vector is answered as flax answers it, with its words and the path", () => {
  const cases = JSON.parse(readFileSync(vectorPath("flax/from_state_dict.json"), "utf8")) as Record<string, Case>;
  assert.equal(Object.keys(cases).length, 14);
  for (const [name, { target, state, flax }] of Object.entries(cases)) {
    const restore = (): unknown => fromStateDict(built(target), built(state));
    if (flax.ok) {
      const expected = flax.value?.map(({ path, dtype, shape }) => ({ path, dtype, shape }));
      assert.deepEqual(leaves(restore()), expected, name);
      continue;
    }
    const { message } = failsWith("state.mismatch", restore);
    assert.match(message, / at path \.(\/[ad])?\.$/, name);
    // Of these two flax says nothing but the name of Python's failure, and of sets it gives any order.
    if (flax.error === "AttributeError" || flax.error === "KeyError") continue;
    const words = (text = ""): string[] => text.split(/[\s,{}]+/).sort();
    assert.deepEqual(words(message.slice(0, -1)), words(flax.message), name);
  }
});

test("where flax gives the name of Python's failure alone, the path and what was found are said", () => {
  const leafForMap = () =>
    fromStateDict(new Map([["a", new Map([["b", 1]])]]), new Map([["a", sampleArray("int8", [1])]]));
  assert.equal(
    failsWith("state.mismatch", leafForMap).message,
    "The target is a dict, the state is not: a ndarray was found at path ./a.",
  );
  const wrongIndex = () => fromStateDict(new Map([["a", [null]]]), new Map([["a", new Map([["1", 5n]])]]), "model");
  assert.equal(
    failsWith("state.mismatch", wrongIndex).message,
    "The target is a list, its state has the keys {'1'} and not {'0'} at path model/a.",
  );
});

test("a new object is made, the target and its leaf values stay as they are", () => {
  const target = new Map([["layers", [1, 2]]]);
  const state = new Map([
    [
      "layers",
      new Map([
        ["0", 10],
        ["1", 20],
      ]),
    ],
  ]);
  const restored = fromStateDict(target, state);
  assert.deepEqual(restored, new Map([["layers", [10, 20]]]));
  assert.deepEqual(target, new Map([["layers", [1, 2]]]));
});

test("the state of an object has keys of text all the way down, and its keys come back as they were", () => {
  const target = new Map<string | number, unknown>([
    [0, [new Map([["k", 1n]]), new NamedTuple("NT", [["a", 2n]])]],
    ["d", new Dc(3n, [4n])],
  ]);
  const state = toStateDict(target);
  assert.deepEqual(
    state,
    new Map<string, unknown>([
      [
        "0",
        new Map([
          ["0", new Map([["k", 1n]])],
          ["1", new Map([["a", 2n]])],
        ]),
      ],
      [
        "d",
        new Map<string, unknown>([
          ["x", 3n],
          ["y", new Map([["0", 4n]])],
        ]),
      ],
    ]),
  );
  assert.deepEqual(fromStateDict(target, state), target);
  failsWith("usage", () =>
    toStateDict(
      new Map<unknown, unknown>([
        [1, "a"],
        ["1", "b"],
      ]),
    ),
  );
});

test("bytes and back, into an object or, without a target, as they are", () => {
  const target = new Map([
    ["a", [sampleArray("bfloat16", [2])]],
    ["b", [5n]],
  ] as readonly (readonly [string, unknown[]])[]);
  const bytes = toBytes(target);
  assert.deepEqual(fromBytes(target, bytes).get("b"), [5n]);
  assert.deepEqual(fromBytes(null, bytes), msgpackRestore(bytes));
  assert.match(failsWith("usage", () => toBytes(new Map([["f", new Map([["apply", () => 1]])]]))).message, /f\/apply/);
});

test("a named tuple of a file older than flax 0.3.5 is restored", () => {
  const state = msgpackRestore(readFileSync(vectorPath("flax/namedtuple_v03.msgpack")));
  const target = new Map([
    [
      "nt",
      new NamedTuple("NT", [
        ["a", null],
        ["b", null],
      ]),
    ],
  ]);
  const restored = fromStateDict(target, state).get("nt");
  assert.deepEqual([...(restored?.fields.keys() ?? [])], ["a", "b"]);
  assert.equal(restored?.fields.get("b"), 6n);
});

test("a handler is registered once, unless it overrides, and counts for its class alone", () => {
  class Counter {
    readonly count: bigint;
    constructor(count: bigint) {
      this.count = count;
    }
  }
  class Special extends Counter {}
  const to = ({ count }: Counter): unknown => new Map([["count", count]]);
  const from = (_: Counter, state: unknown): Counter => {
    const count = (state as ReadonlyMap<string, unknown>).get("count");
    if (typeof count !== "bigint") throw new ModelbenchError("state.mismatch", `No count at path ${currentPath()}.`);
    return new Counter(count);
  };
  registerSerializationState(Counter, to, from);
  assert.match(
    failsWith("usage", () => registerSerializationState(Counter, to, from)).message,
    /"Counter" is registered/,
  );
  assert.deepEqual(fromStateDict([new Counter(0n)], toStateDict([new Counter(7n)])), [new Counter(7n)]);
  const wrong = new Map([["0", new Map([["count", "x"]])]]);
  assert.match(failsWith("state.mismatch", () => fromStateDict([new Counter(0n)], wrong)).message, /path \.\/0/);
  const special = new Special(1n);
  assert.equal(toStateDict(special), special);
  registerSerializationState(Counter, () => new Map([["count", 1n]]), from, { override: true });
  assert.deepEqual(toStateDict(new Counter(7n)), new Map([["count", 1n]]));
  registerSerializationState(Counter, () => new Map([[1, 1n]]), from, { override: true });
  failsWith("usage", () => toStateDict(new Counter(7n)));
  assert.equal(currentPath(), "");
});
