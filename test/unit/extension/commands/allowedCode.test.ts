import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { allowedCode } from "../../../../src/extension/commands/allowedCode";
import { selectInterpreter } from "../../../../src/extension/commands/selectInterpreter";
import type { PythonSetup } from "../../../../src/extension/python/pythonSetup";
import { tempFolder } from "../../store/storeKit";
import { fakeConsents } from "../fakePython";
import { type Answers, services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const code = {
  digest: "ab".repeat(32),
  tag: "iris:v1",
  name: "iris",
  isSavedHere: true,
  isIsolated: false,
  workspace: "file:///work",
};

test("what is allowed is listed, last first, and what is ticked is taken back", async () => {
  const consents = fakeConsents();
  await consents.allow(code);
  await consents.allow({ ...code, name: "shop" }, true);
  const answers: Answers = { pickMany: (_, labels) => labels.filter((label) => label === "iris:v1") };
  const { services: parts, lines } = services(folder.path, answers, { consents });
  await allowedCode(parts);
  assert.deepEqual(lines, [
    "pickMany: Model Code Allowed on This Machine: Tick What to Take Back [shop, iris:v1]",
    "inform: 1 permission was taken back.",
  ]);
  assert.deepEqual(
    consents.all.map(({ kind }) => kind),
    ["name"],
  );
});

test("a list that is dismissed takes nothing back, and without any there is none", async () => {
  const consents = fakeConsents();
  const { services: parts, lines } = services(folder.path, {}, { consents });
  await allowedCode(parts);
  assert.deepEqual(lines, ["inform: No model's code is allowed to run on this machine."]);
  await consents.allow(code);
  await allowedCode(parts);
  assert.equal(consents.all.length, 1);
});

/** Two interpreters; what is chosen is noted. */
function twoPythons(isChosen: boolean, chosen: (string | undefined)[]): PythonSetup {
  const found = [
    { by: ".venv", path: "/work/.venv/bin/python" },
    { by: "python3 on the PATH", path: "/usr/bin/python3" },
  ];
  const python: Pick<PythonSetup, "interpreters" | "isChosen" | "choose"> = {
    interpreters: async () => found,
    isChosen,
    choose: async (path) => void chosen.push(path),
  };
  return python as PythonSetup;
}

test("an interpreter is chosen among those found, or any file; a chosen one can be left to chance again", async () => {
  const chosen: (string | undefined)[] = [];
  const run = async (label: string | undefined, isChosen = false) => {
    const answers: Answers = { pick: () => label, files: ["/opt/python"] };
    const { services: parts, lines } = services(folder.path, answers, { python: twoPythons(isChosen, chosen) });
    await selectInterpreter(parts);
    return lines;
  };
  assert.deepEqual(await run("/usr/bin/python3"), [
    "pick: Which Python Runs Models? [/work/.venv/bin/python, /usr/bin/python3, Browse…]",
  ]);
  await run("Browse…");
  await run("Choose Automatically", true);
  await run(undefined);
  assert.deepEqual(chosen, ["/usr/bin/python3", "/opt/python", undefined]);
});
