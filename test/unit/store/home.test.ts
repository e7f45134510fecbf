import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { resolveHome } from "../../../src/store/home";

/** `${name}`, the form with braces. */
const braced = (name: string): string => `\${${name}}`;

const CASES: readonly (readonly [Record<string, string>, string])[] = [
  [{}, "/home/me/bentoml"],
  [{ BENTOML_HOME: "" }, "/home/me/bentoml"],
  [{ BENTOML_HOME: "/data/store/" }, "/data/store"],
  [{ BENTOML_HOME: "~/x" }, "/home/me/x"],
  [{ BENTOML_HOME: "~" }, "/home/me"],
  [{ BENTOML_HOME: "~someone/x" }, join(process.cwd(), "~someone/x")],
  [{ BENTOML_HOME: "$A/x", A: "/a" }, "/a/x"],
  [{ BENTOML_HOME: `${braced("A")}b/$A`, A: "/a" }, "/ab/a"],
  [{ BENTOML_HOME: "$A", A: "$B/y", B: "~/b" }, "/home/me/b/y"],
  [{ BENTOML_HOME: `/x/$UNKNOWN/${braced("UNKNOWN")}` }, `/x/$UNKNOWN/${braced("UNKNOWN")}`],
  [{ BENTOML_HOME: "relative/x" }, join(process.cwd(), "relative/x")],
];

for (const [env, expected] of CASES) {
  test(`the home of ${JSON.stringify(env)} is ${expected}`, () => {
    assert.equal(resolveHome(env, "/home/me"), expected);
  });
}

test("a variable that holds itself ends", () => {
  assert.ok(resolveHome({ BENTOML_HOME: "$A", A: "/$A" }, "/home/me").startsWith("/"));
});
