import assert from "node:assert/strict";
import { test } from "node:test";
import {
  exactFloat,
  parseExactJson,
  parseTypedJson,
  stringifyExact,
  stringifyPython,
  WholeFloat,
} from "../../../src/formats/jsonExact";
import { failsWith } from "../../fixtures/failures";
import { fc } from "../../fixtures/fastCheck";

test("integers beyond 2^53 stay exact, both ways", () => {
  const text = '{"a":[9007199254740993,-18446744073709551616,9007199254740991,0]}';
  const value = parseExactJson(text);
  assert.deepEqual(value, { a: [9007199254740993n, -18446744073709551616n, 9007199254740991, 0] });
  assert.equal(stringifyExact(value), text);
});

test("it reads what JSON.parse reads, also where long digits send it the slow way", () => {
  const texts = [
    '  {"a" : [1, -2.5e3, true, false, null, "x\\u00e9\\n"] , "b":{}} ',
    "[]",
    '"\u007f"',
    "-0",
    "1E2",
    '{"a":1,"a":2}',
  ];
  for (const text of texts) {
    const expected: unknown = JSON.parse(text);
    assert.deepEqual(parseExactJson(text), expected, text);
    assert.deepEqual(parseExactJson(`[12345678901234567890, ${text}]`), [12345678901234567890n, expected], text);
  }
});

test("a float of many digits is a number, not an integer", () => {
  assert.equal(parseExactJson("12345678901234567890.5"), Number("12345678901234567890.5"));
  assert.equal(parseExactJson("12345678901234567890e0"), Number("12345678901234567890"));
});

test("__proto__ is an ordinary key on both ways", () => {
  for (const text of ['{"__proto__":{"x":1}}', '{"__proto__":{"x":1234567890123456789}}']) {
    const value = parseExactJson(text);
    assert.deepEqual(Object.keys(value as object), ["__proto__"]);
    assert.equal(stringifyExact(value), text);
  }
});

test("what is not strict JSON is refused with its place", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["NaN", 0],
    ["[1, Infinity]", 4],
    ["[1,]", 3],
    ["{'a':1}", 1],
    ["01", 1],
    ['"a\u0001"', 0],
    ['{"a" 1}', 5],
    ["[1] x", 4],
  ];
  for (const [text, offset] of cases)
    assert.equal(failsWith("format.corrupt", () => parseExactJson(text)).offset, offset, text);
});

test("nesting is limited before the stack is", () => {
  failsWith("format.corrupt", () => parseExactJson("[".repeat(100_000)));
  failsWith("format.corrupt", () => parseExactJson(`${"[".repeat(5000)}${"]".repeat(5000)}`));
});

test("numbers that JSON lacks are written as words, -0 keeps its sign, Maps keep their order", () => {
  const value = new Map<string, unknown>([
    ["2", [Number.NaN, 1 / 0, -1 / 0, -0]],
    ["1", undefined],
    ["0", { a: undefined, b: 5n }],
  ]);
  assert.equal(stringifyExact(value), '{"2":["NaN","Infinity","-Infinity",-0],"0":{"b":5}}');
});

test("indented output equals JSON.stringify's", () => {
  const value = { a: [1, [], {}, { b: "é\u2028" }], c: null };
  assert.equal(stringifyExact(value, 2), JSON.stringify(value, null, 2));
});

test("bytes are refused", () => {
  failsWith("internal", () => stringifyExact({ a: new Uint8Array(1) }));
});

test("typed, a float stays a float: whole ones are told from integers, both ways", () => {
  const text = '[3.0,3,-0.0,0.0,1000.0,2.5,1e+21,9007199254740994.0,9007199254740993,"3.0"]';
  const value = parseTypedJson(text);
  const whole = (number: number) => new WholeFloat(number);
  assert.deepEqual(value, [
    whole(3),
    3,
    whole(-0),
    whole(0),
    whole(1000),
    2.5,
    whole(1e21),
    whole(9007199254740994),
    9007199254740993n,
    "3.0",
  ]);
  assert.equal(stringifyExact(value), text);
  assert.deepEqual(parseTypedJson("[1e3, 0.99999999999999999999]"), [whole(1000), whole(1)]);
});

test("typed, every float is told from every integer, and comes back", () => {
  const float = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(float, (number) => {
      assert.deepEqual(parseTypedJson(stringifyExact([exactFloat(number)])), [exactFloat(number)]);
    }),
  );
});

test("typed, keys that are whole numbers keep their places, and a number beyond the floats is refused", () => {
  const text = '{"10":{"b":1,"9":2},"a":[{"1":"x","0":"y"}]}';
  assert.equal(stringifyExact(parseTypedJson(text)), text);
  assert.ok(parseTypedJson(text) instanceof Map);
  assert.equal(failsWith("format.corrupt", () => parseTypedJson("[1, 1e400]")).offset, 4);
});

test("for Python NaN and infinities are its tokens, and the texts stay texts", () => {
  const value = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "NaN", new WholeFloat(1)];
  assert.equal(stringifyPython(value), '[NaN,Infinity,-Infinity,"NaN",1.0]');
  assert.equal(stringifyExact(value), '["NaN","Infinity","-Infinity","NaN",1.0]');
});
