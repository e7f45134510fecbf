import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCompareVersions } from "../../../src/frameworks/installedVersions";
import { tempFolder } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

/** A virtual environment without a program in it: nothing is started. */
function environment(name: string, config: string, ...installed: readonly string[]): string {
  const packages = join(folder, name, "lib/python3.11/site-packages");
  for (const one of installed) mkdirSync(join(packages, one), { recursive: true });
  mkdirSync(join(folder, name, "bin"), { recursive: true });
  writeFileSync(join(folder, name, "pyvenv.cfg"), config);
  return join(folder, name, "bin/python");
}

test("versions are compared by the folders of packages, whatever letters and dashes a name has", async () => {
  const interpreter = environment(
    "one",
    "home = /usr/bin\nversion = 3.11.7\n",
    "scikit_learn-1.9.1.dist-info",
    "jax-0.10.2rc1.dist-info",
    "Old_Tool-2.0-py3.11.egg-info",
  );
  const saved = [
    ["python", "3.11.4"],
    ["scikit-learn", "1.9.1"],
    ["jax", "0.10.2"],
    ["old.tool", "2.0"],
    ["flax", "0.12.8"],
  ] as const;
  const compared = await runCompareVersions({ saved, interpreter });
  assert.deepEqual(
    compared.map(({ name, now }) => [name, now]),
    [
      ["python", "3.11.7"],
      ["scikit-learn", "1.9.1"],
      ["jax", "0.10.2rc1"],
      ["old.tool", "2.0"],
      ["flax", null],
    ],
  );
});

test("an interpreter that says no more than 3.11 differs only where that does", async () => {
  const interpreter = environment("two", "home = /usr/bin\nversion_info = 3.11\n");
  const of = async (version: string) =>
    (await runCompareVersions({ saved: [["python", version]], interpreter }))[0]?.now;
  assert.equal(await of("3.11.9"), "3.11.9");
  assert.equal(await of("3.12.1"), "3.11");
  const unknown = join(folder, "nowhere/bin/other");
  assert.deepEqual(await runCompareVersions({ saved: [["python", "3.11.1"]], interpreter: unknown }), [
    { name: "python", saved: "3.11.1", now: null },
  ]);
});
