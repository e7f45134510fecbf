import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { installedDistributions, normalName, siteFolders } from "../../../src/frameworks/distInfo";
import {
  findInterpreter,
  type InterpreterPlaces,
  lackingPackages,
  refuseLacking,
} from "../../../src/frameworks/interpreters";
import { failsWith } from "../../fixtures/failures";
import { tempFolder } from "../store/storeKit";

const { path: root, remove } = tempFolder();
after(remove);

let folder = "";
let made = 0;
beforeEach(() => {
  folder = join(root, String(made++));
});

/** Writes a file below the test's folder and answers with its path; started, it would fail loudly. */
function file(path: string, text = "#!/bin/false\n", mode = 0o644): string {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, text);
  chmodSync(at, mode);
  return at;
}

const program = (path: string): string => file(path, "#!/bin/false\n", 0o755);

function dist(path: string): string {
  const at = join(folder, path);
  mkdirSync(at, { recursive: true });
  return at;
}

function link(path: string, target: string): string {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(target, at);
  return at;
}

const find = (places: Partial<InterpreterPlaces>): string =>
  findInterpreter({ env: {}, folder, platform: "linux", ...places });

const namesOf = (interpreter: string): string[] => [...(installedDistributions(interpreter) ?? [])].sort();

test("of the usual places VIRTUAL_ENV comes first, then .venv, then python3 on the PATH", () => {
  const active = program("active/bin/python");
  const own = program(".venv/bin/python");
  const onPath = program("tools/python3");
  file("first/python3");
  const env = {
    VIRTUAL_ENV: join(folder, "active"),
    PATH: ["", join(folder, "first"), join(folder, "tools")].join(delimiter),
  };
  assert.equal(find({ env }), active);
  assert.equal(find({ env: { ...env, VIRTUAL_ENV: join(folder, "gone") } }), own);
  assert.equal(find({ env: { PATH: env.PATH }, folder: join(folder, "elsewhere") }), onPath);
});

test("where there is none, every place that was looked at is named", () => {
  file(".venv/bin/python");
  const error = failsWith("python.missing", () => find({ env: { VIRTUAL_ENV: join(folder, "active"), PATH: folder } }));
  for (const place of [join(folder, "active/bin/python"), join(folder, ".venv/bin/python"), "python3 on the PATH"]) {
    assert.ok(error.message.includes(place), error.message);
  }
  assert.match(error.remedy ?? "", /--python PATH or MODELBENCH_PYTHON/);
});

test("the one that was asked for is taken, or nothing is", () => {
  program(".venv/bin/python");
  const other = program("other/python3.12");
  assert.equal(find({ asked: { by: "--python", path: other } }), other);
  assert.equal(find({ asked: { by: "--python", path: "other/python3.12" } }), other);
  assert.equal(find({ asked: { by: "--python", path: "python3.12" }, env: { PATH: join(folder, "other") } }), other);
  for (const path of ["nowhere/python", "other", file("plain/python")]) {
    const error = failsWith("python.missing", () => find({ asked: { by: "MODELBENCH_PYTHON", path } }));
    assert.ok(error.message.includes(`MODELBENCH_PYTHON ${join(folder, path.replace(folder, ""))}`), error.message);
  }
});

test("a link into a virtual environment stays a link, since its place says what it is", () => {
  const base = program("usr/bin/python3.11");
  const inVenv = link(".venv/bin/python", base);
  assert.equal(find({}), inVenv);
});

test("Windows has its programs elsewhere", () => {
  const own = program(".venv/Scripts/python.exe");
  assert.equal(find({ platform: "win32" }), own);
});

test("behind pyenv's scripts stands the version that they would choose", () => {
  const shim = program("pyenv/shims/python3");
  const [old, mid, last] = ["3.9.9", "3.11.7", "3.11.12"].map((v) => program(`pyenv/versions/${v}/bin/python3`));
  file("pyenv/version", "3.9.9\n");
  const env = { PATH: dirname(shim) };
  const project = dist("project/deep");
  assert.equal(find({ env, folder: project }), old);
  file("project/.python-version", "3.11.7\n3.9.9\n");
  assert.equal(find({ env, folder: project }), mid);
  file("project/.python-version", "3.11\n");
  assert.equal(find({ env, folder: project }), last);
  assert.equal(find({ env: { ...env, PYENV_VERSION: "3.9.9" }, folder: project }), old);
  file("project/.python-version", "../../..\n..\n");
  assert.equal(find({ env, folder: project }), old);
  file("project/.python-version", "system\n");
  failsWith("python.missing", () => find({ env, folder: project }));
  const next = program("usr/bin/python3");
  assert.equal(find({ env: { PATH: [env.PATH, dirname(next)].join(delimiter) }, folder: project }), next);
});

test("a virtual environment has its own packages and no others", () => {
  const base = program("usr/bin/python3.11");
  dist("usr/lib/python3.11/site-packages/jax-0.4.0.dist-info");
  const python = link("venv/bin/python", base);
  file("venv/pyvenv.cfg", `home = ${dirname(base)}\ninclude-system-site-packages = false\nversion = 3.11.7\n`);
  dist("venv/lib/python3.11/site-packages/scikit_learn-1.9.1.dist-info");
  dist("venv/lib/python3.11/site-packages/Flask_SQLAlchemy-3.0.dist-info");
  assert.deepEqual(namesOf(python), ["flask-sqlalchemy", "scikit-learn"]);
});

test("with the system's packages it has those, too, Debian's folders included", () => {
  const base = program("usr/bin/python3.11");
  const python = link("venv/bin/python", base);
  file(
    "venv/pyvenv.cfg",
    `home = ${dirname(base)}\ninclude-system-site-packages = true\nversion_info = 3.11.2.final.0\n`,
  );
  dist("venv/lib/python3.11/site-packages/flax-0.12.8.dist-info");
  dist("usr/lib/python3/dist-packages/PyJWT-2.6.0.egg-info");
  dist("usr/local/lib/python3.11/dist-packages/jax-0.10.2.dist-info");
  dist("usr/local/lib/python3.12/dist-packages/other-1.0.dist-info");
  assert.deepEqual(namesOf(python), ["flax", "jax", "pyjwt"]);
});

test("an interpreter of its own has the packages of the prefix that it is in, be it behind a link", () => {
  const real = program("pyenv/versions/3.11.7/bin/python3.11");
  dist("pyenv/versions/3.11.7/lib/python3.11/site-packages/cloudpickle-3.1.2.dist-info");
  dist("pyenv/versions/3.11.7/lib/python3.9/site-packages/old-1.0.dist-info");
  assert.deepEqual(namesOf(link("bin/python3", real)), ["cloudpickle"]);
  const plain = program("conda/bin/python");
  dist("conda/lib/python3.13/site-packages/joblib-1.6.0.dist-info");
  assert.deepEqual(namesOf(plain), ["joblib"]);
});

test("on Windows they lie in Lib, beside the interpreter or above its folder", () => {
  dist("py/Lib/site-packages/numpy-2.0.0.dist-info");
  assert.deepEqual(namesOf(program("py/python.exe")), ["numpy"]);
  file("venv/pyvenv.cfg", "home = C:\\py\r\ninclude-system-site-packages = false\r\n");
  dist("venv/Lib/site-packages/joblib-1.6.0.dist-info");
  assert.deepEqual(namesOf(program("venv/Scripts/python.exe")), ["joblib"]);
});

test("folders that path files name count, and no line of code is obeyed", () => {
  const python = program("conda/bin/python3.11");
  const more = dist("more");
  dist("more/flax-0.12.8.dist-info");
  file("conda/lib/python3.11/site-packages/a.pth", `# a remark\n${more}\nimport os; os.abort()\nmissing\nsibling\n`);
  dist("conda/lib/python3.11/site-packages/sibling/jax-0.10.2.dist-info");
  assert.deepEqual(namesOf(python), ["flax", "jax"]);
});

test("what is missing is named with the one line that installs it, by the interpreter's own path", () => {
  const python = program("venv/bin/python3.11");
  dist("venv/lib/python3.11/site-packages/joblib-1.6.0.dist-info");
  assert.deepEqual(lackingPackages(python, [["scikit-learn"], ["joblib"]]), {
    packages: ["scikit-learn"],
    command: `${python} -m pip install scikit-learn`,
  });
  assert.equal(lackingPackages(python, [["joblib"]]), undefined);
  assert.equal(lackingPackages(python, [["other", "JobLib"]]), undefined);
  const error = failsWith("python.missing", () => refuseLacking(python, "net:v1", [["flax"], ["jax"]]));
  assert.match(error.message, /^net:v1 needs flax and jax, and .*does not have them\.$/);
  assert.equal(error.remedy, `Run: ${python} -m pip install flax jax`);
});

test("a path that a shell would take apart is quoted", () => {
  const python = program("it's here/bin/python3.11");
  dist("it's here/lib/python3.11/site-packages");
  const lacking = lackingPackages(python, [["flax"]]);
  assert.equal(lacking?.command, `'${python.replace("'", "'\\''")}' -m pip install flax`);
});

test("of an interpreter whose folders cannot be told nobody says that it lacks anything", () => {
  const python = program("strange/python");
  assert.deepEqual(siteFolders(python), []);
  assert.equal(lackingPackages(python, [["flax"]]), undefined);
});

test("a distribution's name is the same in every spelling", () => {
  for (const name of ["scikit-learn", "Scikit_Learn", "scikit.learn", "scikit--learn"]) {
    assert.equal(normalName(name), "scikit-learn");
  }
});
