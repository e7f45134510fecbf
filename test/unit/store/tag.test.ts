import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newVersion } from "../../../src/store/newVersion";
import { formatTag, makeSavableTag, makeTag, parseTag } from "../../../src/store/tag";

describe("tags", () => {
  test("a name alone, a version and latest are read", () => {
    assert.deepEqual(parseTag("iris_clf"), { name: "iris_clf" });
    assert.deepEqual(parseTag("a..b:1.0.0"), { name: "a..b", version: "1.0.0" });
    assert.deepEqual(parseTag("iris:latest"), { name: "iris", version: "latest" });
    assert.deepEqual(parseTag("constructor:prototype"), { name: "constructor", version: "prototype" });
    const longest = `${"n".repeat(63)}:${"v".repeat(63)}`;
    assert.equal(formatTag(parseTag(longest)), longest);
  });

  test("upper case is lowered and reported, for callers to warn", () => {
    assert.deepEqual(parseTag("Iris:V1"), { name: "iris", version: "v1", loweredFrom: "Iris:V1" });
    assert.deepEqual(makeTag("Iris", "V1"), { name: "iris", version: "v1" });
  });

  test("what is outside the grammar is refused, shell and path characters among it", () => {
    const parts = [
      "",
      "-a",
      "a_",
      "a.",
      "_a",
      "a/b",
      "../a",
      "a b",
      "a\n",
      "é",
      "ａ",
      "İ",
      "a|id",
      "$(id)",
      "a;b",
      "a*",
      "a?",
      'a"',
      "a{0}",
    ];
    for (const part of [...parts, "n".repeat(64), "a\0", "--help", `a${"-".repeat(50_000)}!`]) {
      assert.throws(() => parseTag(part), { code: "tag.invalid" }, JSON.stringify(part.slice(0, 40)));
      assert.throws(() => parseTag(`a:${part}`), { code: "tag.invalid" });
      assert.throws(() => makeTag("a", part), { code: "tag.invalid" });
    }
    assert.throws(() => parseTag("a:b:c"), { code: "tag.invalid", message: /^Invalid Tag a:b:c/ });
  });

  test("the message says which rule was broken, both where both are", () => {
    assert.throws(() => parseTag("n".repeat(64)), {
      message: /is not a valid BentoML tag: .*at most 63 characters in length\.$/,
    });
    assert.throws(() => parseTag(`_${"n".repeat(64)}`), {
      message: /at most 63 characters in length, and a tag's name or version must consist/,
    });
    assert.throws(() => parseTag("iris:"), {
      message: "iris: contains trailing ':'.",
      remedy: "Maybe you meant `iris:latest`.",
    });
  });

  test("messages about hostile tags are short and hold no raw control characters", () => {
    assert.throws(
      () => parseTag(`\u001b[31m\u202e${"x".repeat(60_000)}`),
      ({ message }: Error) => message.length < 2_000 && !/[\p{Cc}\u202e]/u.test(message),
    );
  });

  test("latest cannot be saved as a version", () => {
    assert.throws(() => makeSavableTag("iris", "Latest"), { code: "tag.invalid", message: /always names the newest/ });
    assert.deepEqual(makeSavableTag("iris", "v1"), { name: "iris", version: "v1" });
  });

  test("new versions have 16 characters of BentoML's alphabet and never repeat", () => {
    const made = Array.from({ length: 2_000 }, newVersion);
    for (const version of made) assert.match(version, /^[a-z2-7]{16}$/);
    assert.equal(new Set(made).size, made.length);
  });
});
