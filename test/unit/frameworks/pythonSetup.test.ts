import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { PythonQuestion } from "../../../src/frameworks/pythonSetupJobs";
import { runListInterpreters, runModuleFolder, runPythonSetup } from "../../../src/frameworks/pythonSetupWork";
import { tempFolder } from "../store/storeKit";

const { path: root, remove } = tempFolder();
after(remove);

let folder = "";
let made = 0;
beforeEach(() => {
  folder = join(root, String(made++));
});

/** Writes a file; a program that is started would fail loudly. */
function file(path: string, mode = 0o644): string {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, "#!/bin/false\n", { mode });
  return at;
}

const program = (path: string): string => file(path, 0o755);

const ask = (question: Partial<PythonQuestion>) =>
  runPythonSetup({ asked: null, chosen: [], env: {}, folders: [], home: root, needs: [], paths: [], ...question });

test("the setting comes first, then what an extension chose, then .venv, VIRTUAL_ENV and python3", async () => {
  const places = ["named/python", "chosen/python", "b/.venv/bin/python", "active/bin/python", "path/python3"];
  const [named = "", chosen = "", venv, active, onPath] = places.map(program);
  const env = { VIRTUAL_ENV: join(folder, "active"), PATH: join(folder, "path") };
  const folders = [join(folder, "a"), join(folder, "b")];
  const all = { asked: { by: "setting", path: named }, chosen: [{ by: "Python", path: chosen }], env, folders };
  const found = async (question: Partial<PythonQuestion>) => {
    const { by, interpreter } = await ask(question);
    return [by, interpreter];
  };
  assert.deepEqual(await found(all), ["setting", named]);
  assert.deepEqual(await found({ ...all, asked: null }), ["Python", chosen]);
  assert.deepEqual(await found({ ...all, asked: null, chosen: [{ by: "Python", path: join(folder, "gone") }] }), [
    ".venv",
    venv,
  ]);
  assert.deepEqual(await found({ env, folders }), [".venv", venv]);
  assert.deepEqual(await found({ env }), ["VIRTUAL_ENV", active]);
  assert.deepEqual(await found({ env: { PATH: env.PATH } }), ["python3 on the PATH", onPath]);
  const listed = await runListInterpreters({ ...all, home: root });
  assert.deepEqual(
    listed.map(({ path }) => path),
    [named, chosen, venv, active, onPath],
  );
});

test("a setting that names nothing is not passed over, and what to do is a command of the editor's", async () => {
  program(".venv/bin/python");
  const { interpreter, problem } = await ask({
    asked: { by: "setting", path: join(folder, "gone") },
    folders: [folder],
  });
  assert.deepEqual([interpreter, problem?.code], [null, "python.missing"]);
  assert.match(`${problem?.message} ${problem?.remedy}`, /gone.*Select Python Interpreter/s);
});

test("what it lacks comes with the line that installs it, and is seen as soon as it is there or gone", async () => {
  const python = program(".venv/bin/python");
  const site = join(folder, ".venv/lib/python3.11/site-packages");
  mkdirSync(join(site, "numpy-2.0.0.dist-info"), { recursive: true });
  writeFileSync(join(folder, ".venv/pyvenv.cfg"), "home = /nowhere\nversion = 3.11.7\n");
  const needs = [["numpy"], ["scikit-learn", "sklearn"]] as const;
  const lacking = async () => {
    const { command, lacking: packages } = await ask({ folders: [folder], needs });
    return [packages, command];
  };
  assert.deepEqual(await lacking(), [["scikit-learn"], `${python} -m pip install scikit-learn`]);
  mkdirSync(join(site, "scikit_learn-1.5.0.dist-info"));
  assert.deepEqual(await lacking(), [[], ""]);
  rmSync(join(site, "numpy-2.0.0.dist-info"), { recursive: true });
  assert.deepEqual(await lacking(), [["numpy"], `${python} -m pip install numpy`]);
});

test("of the folders to import from those count that are there", async () => {
  file("src/shop.py");
  const paths = [folder, join(folder, "src"), join(folder, "lib"), join(folder, "src/shop.py")];
  assert.deepEqual((await ask({ paths })).paths, [folder, join(folder, "src")]);
});

test("a module is found in the nearest folder of the project, never among what is installed or hidden", async () => {
  for (const path of [
    "app/.venv/pyvenv.cfg",
    "env/pyvenv.cfg",
    "env/lib/shop.py",
    "node_modules/shop.py",
    ".git/shop.py",
    "lib/deep/shop/__init__.py",
    "lib/names/only/here.py",
  ])
    file(path);
  const find = (module: string) => runModuleFolder({ folders: [folder], module });
  assert.equal(await find("shop.pricing"), join(folder, "lib/deep"));
  assert.equal(await find("only"), join(folder, "lib/names"));
  assert.equal(await find("nothing"), null);
  file("src/shop.py");
  assert.equal(await find("shop"), join(folder, "src"));
  const stopped = runModuleFolder({ folders: [folder], module: "none" }, { signal: AbortSignal.abort() });
  await assert.rejects(stopped, { code: "cancelled" });
});
