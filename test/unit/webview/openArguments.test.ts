import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Arguments,
  argumentsOf,
  formOf,
  nameIssue,
  readShape,
  withArgument,
  withArgumentSource,
  withName,
  withoutArgument,
  withShape,
} from "../../../webview/ui/openArguments";
import { jsonDraft } from "./scriptedPage";

function given(...names: string[]): Arguments {
  const drafts = Object.fromEntries(names.map((name) => [name, jsonDraft(JSON.stringify(name))]));
  return { args: argumentsOf(drafts), drafts };
}

/** The names in the order of the call, with what each holds. */
function call({ drafts }: Arguments): Record<string, string> {
  return Object.fromEntries(Object.entries(drafts).map(([name, { json }]) => [name, json]));
}

const issues = ({ args }: Arguments) => args.map((one) => nameIssue(args, one));

describe("the arguments of a method that declares none", () => {
  test("a new one takes the first position that is free, before those with names", () => {
    const added = withArgument(given("0", "training"));
    assert.deepEqual(
      added.args.map(({ name }) => name),
      ["0", "1", "training"],
    );
    assert.deepEqual(Object.keys(added.drafts), ["0", "1", "training"]);
    assert.equal(added.args.find(({ id }) => id === added.id)?.name, "1");
    assert.deepEqual(Object.keys(withArgument(given()).drafts), ["0"]);
  });

  test("a removed position lets those behind it move up with their values", () => {
    const start = given("0", "1", "2", "x");
    const left = withoutArgument(start, start.args[1]?.id ?? -1);
    assert.deepEqual(call(left), { "0": '"0"', "1": '"2"', x: '"x"' });
    assert.deepEqual(issues(left), [undefined, undefined, undefined]);
    const named = withoutArgument(start, start.args[3]?.id ?? -1);
    assert.deepEqual(Object.keys(named.drafts), ["0", "1", "2"]);
  });

  test("names can be exchanged, although they are the same on the way", () => {
    const start = given("a", "b");
    const half = withName(start, 0, "b");
    assert.deepEqual(issues(half), ["duplicate", undefined], "the one that was typed is wrong");
    assert.deepEqual(call(half), { a: '"a"', b: '"b"' });
    const whole = withName(half, 1, "a");
    assert.deepEqual(issues(whole), [undefined, undefined]);
    assert.deepEqual(call(whole), { b: '"a"', a: '"b"' });
  });

  test("what cannot be a name is said, and the draft keeps its old one meanwhile", () => {
    for (const [name, issue] of [
      ["", "empty"],
      ["  ", "empty"],
      ["two words", "name"],
      ["1st", "name"],
      ["01", "name"],
      ["__proto__", "name"],
      ["größe_2", undefined],
      [" x ", undefined],
    ] as const) {
      const typed = withName(given("0"), 0, name);
      assert.deepEqual(issues(typed), [issue], name);
      assert.deepEqual(Object.keys(typed.drafts), [issue ? "0" : name.trim()], name);
    }
  });

  test("a position without the one before it is a gap", () => {
    assert.deepEqual(issues(withName(given("0", "1"), 0, "x")), [undefined, "gap"]);
  });

  test("those that are still there keep what is being typed when another page changed the others", () => {
    const typed = withName(given("0", "x"), 1, "");
    const { drafts } = given("0", "x", "y");
    const again = argumentsOf(drafts, typed.args);
    assert.deepEqual(
      again.map(({ id, name }) => [id, name]),
      [
        [0, "0"],
        [1, ""],
        [2, "y"],
      ],
    );
  });
});

test("a shape is read as people write it", () => {
  for (const [text, dims] of [
    ["2, 4", [2, 4]],
    ["[2,4]", [2, 4]],
    ["(3,)", [3]],
    ["2 × 4", [2, 4]],
    ["", []],
    ["()", []],
    ["0, 3", [0, 3]],
    ["2, four", undefined],
    ["2 4", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["2,,4", undefined],
    ["4294967296", undefined],
    [Array(33).fill(1).join(","), undefined],
  ] as const) {
    assert.deepEqual(readShape(text), dims, text);
  }
});

describe("sources of an argument", () => {
  test("only rectangular numbers that a form holds have one, and come back from it as they were", () => {
    for (const [json, dims] of [
      ["[[5.9, 3], [1, 1e-3]]", [2, 2]],
      ["7", []],
      ['[1, "NaN"]', [2]],
      ["[[1, 2], [3]]", undefined],
      ['["a"]', undefined],
      ['["5"]', undefined],
      ["[true]", undefined],
      ['{"n": 1}', undefined],
      ["[]", undefined],
      ["[1,", undefined],
      [JSON.stringify(Array(257).fill(0)), undefined],
    ] as const) {
      const draft = jsonDraft(json);
      assert.deepEqual(formOf(draft)?.dims, dims, json);
      const form = withArgumentSource(draft, "form");
      assert.equal(form.source, dims ? "form" : "json", json);
      if (dims) assert.deepEqual(JSON.parse(withArgumentSource(form, "json").json), JSON.parse(json));
    }
  });

  test("generated values start with the shape of what was entered, and go into a form with it", () => {
    const made = withArgumentSource(jsonDraft("[[1, 2, 3], [4, 5, 6]]"), "generate");
    assert.deepEqual([made.source, made.dims], ["generate", [2, 3]]);
    const larger = withShape(made, [3, 3]);
    assert.deepEqual(withArgumentSource(larger, "form").cells.slice(0, 6), ["1", "2", "3", "4", "5", "6"]);
    assert.equal(withArgumentSource(larger, "form").cells.length, 9);
    assert.deepEqual(withArgumentSource(jsonDraft("null"), "generate").dims, []);
    const text = withArgumentSource(jsonDraft('["a"]', { dims: [1], cells: ["a"] }), "generate");
    assert.equal(formOf(text), undefined);
  });
});
