import assert from "node:assert/strict";
import { test } from "node:test";
import { askToAllow } from "../../../../src/extension/python/allowDialog";
import { consentView } from "../../../../src/extension/python/consentView";
import type { CodeFacts } from "../../../../src/frameworks/codeFacts";
import { t } from "../fakes";

const FACTS: CodeFacts = {
  ...{ module: "bentoml.mlflow", path: "/store/models/m/v1", digest: "ab".repeat(32), files: [], options: "{}" },
  ...{ signatures: {}, origin: { kind: "imported", atMs: 0 }, verdict: null, imports: [], moreImports: 0 },
};
const PARTS = { allowed: undefined, paths: [], whyNotIsolated: undefined };

/** The lines of the question about a model. */
async function linesOf(facts: Partial<CodeFacts>, paths: readonly string[] = []): Promise<string[]> {
  let shown = "";
  const decide = async (_message: string, detail: string) => {
    shown = detail;
    return undefined;
  };
  const asked = { digest: "", tag: "m:v1", name: "m", isSavedHere: false, isIsolated: true, workspace: "" };
  await askToAllow(t, { decide }, asked, consentView(t, { ...FACTS, ...facts }, { ...PARTS, paths }));
  return shown.split("\n");
}

test("that no pickle was found is no promise that there is none", () => {
  const { verdict } = consentView(t, FACTS, PARTS);
  assert.match(verdict, /^No pickle was found/);
  assert.match(verdict, /runs code/);
});

test("nothing that a model, an archive or a folder is called makes a line of the question, hides one or reorders it", async () => {
  const plain = await linesOf({ imports: ["a.b"], origin: { kind: "imported", atMs: 0, from: "/a" } }, ["/p"]);
  const name = "\n\nNot a model\u2028\u202e\u2066\u200b\u001b[2J\r";
  const origin = { kind: "imported", atMs: 0, from: `/${name}` } as const;
  const hostile = await linesOf({ imports: [`${name}.x`, "y".repeat(1e5)], origin }, [`/${name}`]);
  assert.equal(hostile.length, plain.length);
  assert.doesNotMatch(hostile.join(""), /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u);
  assert.ok(hostile.every((line) => line.length < 1_000));
});
