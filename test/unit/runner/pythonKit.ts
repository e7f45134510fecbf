import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { silentLog } from "../../../src/base/log";
import type { MethodSignature } from "../../../src/formats/tensor";
import type { RunnerSession } from "../../../src/runner/client";
import type { LoadRequest, PythonLoad, RunRequest, RunResult } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { isAlive, type Kit, openKit, until } from "./runnerKit";

/** Speaks frames, and does on demand what a worker must not do. */
const SCRIPTED = join(process.cwd(), "test/fixtures/scriptedWorker");

/** The interpreter itself: `python3` may be a script that starts one, and adds variables of its own. */
const python3 = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();

/** A method that takes anything. */
export const open: MethodSignature = {
  inputs: [],
  outputs: [],
  batchable: false,
  isOpen: true,
  batchDim: [0, 0],
  source: "model.yaml",
};

/** What a test says of a model beyond its files. */
export interface ScriptedModel {
  readonly adapter?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly methods?: Readonly<Record<string, MethodSignature>>;
  readonly device?: string;
  readonly python?: Partial<PythonLoad>;
}

/** The runner's bundles and a folder for temporary files that only this test uses. */
export interface PythonKit extends Kit {
  /** A model of two files, a pickle and weights, that the scripted worker loads. */
  scripted(model?: ScriptedModel): LoadRequest;
  /** A path in the test's folder that nothing is at. */
  unused(): string;
  /** Private folders that are there now. */
  privateFolders(): string[];
}

/** Opens a kit; the folder for temporary files of this process is another one until it is disposed of. */
export async function openPythonKit(): Promise<PythonKit> {
  const kit = await openKit();
  const before = process.env["TMPDIR"];
  const temporary = mkdtempSync(join(tmpdir(), "python-kit-"));
  process.env["TMPDIR"] = temporary;
  let count = 0;
  const unused = () => {
    count += 1;
    return join(kit.folder, `unused-${count}`);
  };
  return {
    ...kit,
    unused,
    scripted: (model) => scripted(unused(), model),
    privateFolders: () => readdirSync(temporary).filter((name) => name.startsWith("modelbench-")),
    dispose: () => {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      rmSync(temporary, { recursive: true, force: true });
      kit.dispose();
    },
  };
}

function scripted(folder: string, { adapter, options = {}, methods, device, python }: ScriptedModel = {}): LoadRequest {
  mkdirSync(join(folder, "more"), { recursive: true });
  const contents = { "saved_model.pkl": "a pickle", "more/weights.msgpack": "weights" };
  for (const [path, content] of Object.entries(contents)) writeFileSync(join(folder, path), content);
  writeFileSync(join(folder, "unlisted.pkl"), "nobody allowed this");
  writeFileSync(join(folder, "model.yaml"), "module: a");
  const names = ["echo", "about", "calls", "refuse"];
  return {
    label: "scripted",
    adapter: adapter ?? "picklable",
    file: join(folder, "saved_model.pkl"),
    device: device ?? "cpu",
    signatures: methods ?? Object.fromEntries(names.map((name) => [name, open])),
    batching: { enabled: true, maxBatchSize: 8 },
    python: {
      interpreter: python3,
      worker: SCRIPTED,
      folder,
      files: Object.entries(contents).map(([path, content]) => ({ path, sha256: sha256(content) })),
      options: JSON.stringify(options),
      paths: [],
      preload: [],
      ...python,
    },
  };
}

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Opens a session, uses it and stops it; then nothing of it may be left. */
export async function withModel(
  kit: PythonKit,
  request: LoadRequest,
  use: (session: RunnerSession) => Promise<void>,
): Promise<void> {
  const session = openSession(request, { entry: kit.entry, log: silentLog });
  try {
    await use(session);
  } finally {
    await session.stop();
  }
  const left = kit.privateFolders();
  if (left.length > 0) throw new Error(`There are private folders left: ${left.join(", ")}`);
}

/** Runs a method alone and answers with what it gave. */
export async function runAlone(
  session: RunnerSession,
  method: string,
  inputs: RunRequest["inputs"] = {},
): Promise<RunResult> {
  return session.run({ method, inputs, batch: false });
}

/** The only output of a method, as plain JSON. */
export async function tell(session: RunnerSession, method: string): Promise<unknown> {
  const value = (await runAlone(session, method)).outputs[0]?.value;
  return value?.container === "object" ? value.value : undefined;
}

/** The process ids that a hanging worker wrote down, when all of them are there. */
export async function hanging(path: string): Promise<number[]> {
  const read = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
  await until(() => read().endsWith("\n"), "the worker hangs");
  const pids = read().trim().split(" ").map(Number);
  for (const pid of pids) if (!isAlive(pid)) throw new Error(`The process ${pid} ended before the test did.`);
  return pids;
}

/** A process of its own that hosts a model; the model is loaded, and its method `hang` was called. */
export async function hangingHost(kit: PythonKit, request: LoadRequest): Promise<ChildProcess> {
  const source = `
    const { openSession } = require("./session.cjs");
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const session = openSession(${JSON.stringify(request)}, { entry: ${JSON.stringify(kit.entry)}, log });
    session.run({ method: "hang", batch: false, inputs: {} });
    session.load().then(() => console.log("loaded"));`;
  const host = spawn(process.execPath, [kit.script("hangingHost.cjs", source)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface(host.stdout), "line");
  return host;
}
