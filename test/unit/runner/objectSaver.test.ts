import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { makeObject, type ObjectRequest, saveObject } from "../../../src/runner/objectSaver";
import { ModelStore } from "../../../src/store/modelStore";
import { tempFolder } from "../store/storeKit";
import { isAlive, until } from "./runnerKit";

const { path: folder, remove } = tempFolder();
const home = join(folder, "home");
const project = join(folder, "project");
const staging = join(home, ".modelbench/staging");
const parts = { jobs: inProcessJobs(), log: silentLog };
/** Need have neither cloudpickle nor a framework. */
const python3 = execFileSync("python3", ["-I", "-S", "-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).trim();

before(() => mkdirSync(project));
after(remove);

function requestOf(code: string, wish: Partial<ObjectRequest> = {}): ObjectRequest {
  const file = join(project, "made.py");
  writeFileSync(file, code);
  return {
    home,
    adapter: "picklable",
    source: { file, target: "made:model", customObjects: [], externalModules: [] },
    python: {
      interpreter: python3,
      worker: join(process.cwd(), "src/frameworks/python"),
      paths: [],
      preload: [],
      workingFolder: project,
    },
    dataFiles: [],
    ...wish,
  };
}

function assertNothing(): void {
  assert.deepEqual(readdirSync(staging), []);
  assert.deepEqual(new ModelStore(home).list().models, []);
}

const VALUES = { name: "made", labels: {}, metadata: {} };

test("a save that is cancelled ends what the file started, and leaves nothing", async () => {
  const pids = join(folder, "pids");
  const code = `
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(${JSON.stringify(pids)}, "w") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
`;
  const controller = new AbortController();
  const saving = saveObject(requestOf(code), VALUES, parts, { signal: controller.signal });
  await until(() => existsSync(pids) && readFileSync(pids, "utf8").endsWith("\n"), "the file runs");
  assert.equal(readdirSync(staging).length, 1);
  controller.abort();
  await assert.rejects(saving, { code: "cancelled" });
  const started = readFileSync(pids, "utf8").trim().split(" ").map(Number);
  await until(() => !started.some(isAlive), "all of them ended");
  assertNothing();
});

test("a worker that dies in the middle of a save leaves nothing", async () => {
  const code = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n";
  await assert.rejects(saveObject(requestOf(code), VALUES, parts), { code: "worker.died", message: /made\.py/ });
  assertNothing();
});

test("half a model in the folder goes with the failure that left it", async () => {
  const code = `
import os, gc
class Bad:
    def __reduce__(self):
        raise RuntimeError("no way to write this")
model = Bad()
import sys, types
pickler = types.ModuleType("cloudpickle")
def dump(value, file):
    file.write(b"half")
    file.flush()
    import pickle
    pickle.dumps(value)
pickler.dump = dump
pickler.__spec__ = __import__("importlib.machinery", fromlist=["ModuleSpec"]).ModuleSpec("cloudpickle", None)
sys.modules["cloudpickle"] = pickler
`;
  await assert.rejects(saveObject(requestOf(code), VALUES, parts), {
    code: "run.failed",
    message: /no way to write this/,
  });
  assertNothing();
});

test("what was made and is not saved is gone with its discard, and what the file prints goes to the log", async () => {
  const lines: string[] = [];
  const log = { ...silentLog, info: (line: string) => void lines.push(line) };
  const code = `
import sys, types, pickle
pickler = types.ModuleType("cloudpickle")
pickler.dump = pickle.dump
pickler.__spec__ = __import__("importlib.machinery", fromlist=["ModuleSpec"]).ModuleSpec("cloudpickle", None)
sys.modules["cloudpickle"] = pickler
print("trained")
model = {"a": 1}
`;
  const request = requestOf(code);
  for (const args of [
    ["init", "-q"],
    ["add", "made.py"],
    ["commit", "-q", "-m", "one"],
  ]) {
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", ...args], { cwd: project });
  }
  const made = await makeObject(request, { ...parts, log });
  assert.deepEqual([made.provenance.git?.script, made.provenance.git?.isDirty], ["made.py", false]);
  assert.deepEqual(lines, ["trained"]);
  assert.equal(readdirSync(staging).length, 1);
  await made.discard();
  assertNothing();
});

test("a file whose name is another module's cannot be imported, and says so", async () => {
  const request = requestOf("");
  const file = join(project, "json.py");
  writeFileSync(file, "model = 1\n");
  await assert.rejects(saveObject({ ...request, source: { ...request.source, file } }, VALUES, parts), {
    code: "python.module",
    message: /json is the name of another module/,
  });
  assertNothing();
});
