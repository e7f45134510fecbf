import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import test, { after, before } from "node:test";
import { exportModel } from "../../src/store/archive/exportModel";
import { importArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { treeOf } from "../fixtures/tree";

// One Python process for all steps: starting bentoml takes longer than everything it does here.
const SCRIPT = `
import json, lzma, os, sys
import bentoml

def make():
    with bentoml.models.create("peer_model:v1", labels={"owner": "peer"}, metadata={"acc": 0.5, "n": 3}) as m:
        def put(name, content, mode=0o644):
            path = m.path_of(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f: f.write(content)
            os.chmod(path, mode)
        put("weights.bin", os.urandom(300000))
        put("zeros.bin", bytes(200000))
        put("empty.bin", b"")
        put("run.sh", b"#!/bin/sh\\n", 0o755)
        put("größe/模型.txt", "ü".encode())
        put("deep/" + "d" * 90 + "/" + "f" * 120, b"long path")
        os.makedirs(m.path_of("empty_folder"))
    return bentoml.models.get("peer_model:v1").path

def main():
    for line in sys.stdin:
        step = json.loads(line)
        try:
            if step["do"] == "make": value = make()
            elif step["do"] == "export": value = bentoml.models.export_model("peer_model:v1", step["path"])
            elif step["do"] == "import":
                for m in bentoml.models.list("peer_model"): bentoml.models.delete(m.tag)
                value = bentoml.models.import_model(step["path"]) and bentoml.models.get(step["tag"]).path
            elif step["do"] == "unxz":
                with lzma.open(step["path"]) as f: value = len(f.read())
            answer = {"value": value}
        except Exception as e:
            answer = {"error": repr(e)}
        sys.stdout.write("@@" + json.dumps(answer) + "\\n")
        sys.stdout.flush()

main()
`;

let folder: string;
let python: ChildProcess;
let lines: AsyncIterator<string>;
let input: Interface;
let original: Map<string, string | undefined>;
let originalPath: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "modelbench-peer-archive-"));
  python = spawn(join(process.cwd(), ".tools/venv/bin/python"), ["-c", SCRIPT], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, BENTOML_DO_NOT_TRACK: "True", BENTOML_HOME: join(folder, "peer"), TMPDIR: folder },
  });
  assert.ok(python.stdout);
  input = createInterface({ input: python.stdout });
  lines = input[Symbol.asyncIterator]();
  originalPath = String(await ask({ do: "make" }));
  original = treeOf(originalPath);
});

after(() => {
  python.kill("SIGKILL");
  input.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(step: Record<string, string>): Promise<unknown> {
  python.stdin?.write(`${JSON.stringify(step)}\n`);
  const timer = setTimeout(() => python.kill("SIGKILL"), 30_000);
  try {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`Python ended or was stopped after 30 s at ${JSON.stringify(step)}`);
      if (!value.startsWith("@@")) continue;
      const answer: unknown = JSON.parse(value.slice(2));
      assert.ok(typeof answer === "object" && answer !== null);
      if ("error" in answer) throw new Error(String(answer.error));
      return "value" in answer ? answer.value : undefined;
    }
  } finally {
    clearTimeout(timer);
  }
}

test("what the real bentoml exports is imported byte for byte, in every format we read", async () => {
  for (const name of ["peer.bentomodel", "peer.tar", "peer.tar.gz", "peer.tar.xz"]) {
    const archive = join(folder, name);
    await ask({ do: "export", path: archive });
    const store = new ModelStore(join(folder, `ours-${name}`));
    const result = await importArchive(store, { source: archive, onConflict: "fail" });
    assert.deepEqual([result.tag, result.action, result.from], ["peer_model:v1", "imported", archive]);
    const path = store.pathOf({ name: "peer_model", version: "v1" });
    assert.deepEqual(treeOf(path), original);
    assert.equal(lstatSync(join(path, "run.sh")).mode & 0o111, 0o111);
    assert.equal(store.latestOf("peer_model"), "v1");
  }
});

test("what we export is imported by the real bentoml byte for byte, in every format we write", async () => {
  const store = new ModelStore(join(folder, "ours"));
  const archive = join(folder, "for-ours.tar");
  await ask({ do: "export", path: archive });
  await importArchive(store, { source: archive, onConflict: "fail" });
  for (const name of ["ours.bentomodel", "ours.tar", "ours.tar.gz"]) {
    const { path, bytes } = await exportModel(store, { tag: "peer_model:latest", destination: join(folder, name) });
    assert.equal(bytes, lstatSync(path).size);
    const imported = String(await ask({ do: "import", path, tag: "peer_model:v1" }));
    assert.deepEqual(treeOf(imported), original);
  }
});

test("a version given by us on import is accepted by the real bentoml", async () => {
  const store = new ModelStore(join(folder, "renamed"));
  const source = join(folder, "for-ours.tar");
  await importArchive(store, { source, onConflict: "fail" });
  const { tag, action } = await importArchive(store, { source, onConflict: "new-version" });
  assert.equal(action, "new-version");
  const { path } = await exportModel(store, { tag, destination: `${folder}/` });
  const imported = String(await ask({ do: "import", path, tag }));
  const yaml = readFileSync(join(imported, "model.yaml"), "utf8");
  const before = Buffer.from(original.get("model.yaml") ?? "", "base64").toString();
  assert.equal(yaml, before.replace("version: v1", `version: ${tag.split(":")[1]}`));
});

test("our stored xz satisfies a real xz decoder", async () => {
  const archive = join(folder, "ours.bentomodel");
  const plain = lstatSync(join(folder, "ours.tar")).size;
  const xz = spawnSync("xz", ["-t", "--format=xz", archive], { encoding: "utf8" });
  // Where there is no xz command, Python's lzma is the same library.
  if (!xz.error) assert.deepEqual([xz.status, xz.stderr], [0, ""]);
  assert.equal(await ask({ do: "unxz", path: archive }), plain);
});
