import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/base/log";
import type { MethodSignature } from "../../src/formats/tensor";
import { tensorToNested } from "../../src/formats/tensorJson";
import type { RunnerSession } from "../../src/runner/client";
import type { InputValue, LoadRequest, PythonLoad, RunResult } from "../../src/runner/protocol";
import { openSession } from "../../src/runner/session";
import { type Kit, openKit } from "../unit/runner/runnerKit";
import { askPython } from "./python";
import { PYTHON } from "./realStore";

/** A saved model with what its method gives for all rows in the plain library. */
interface Case {
  readonly folder: string;
  readonly rows: readonly (readonly number[])[];
  readonly expected: readonly (readonly number[])[];
}

interface Made {
  readonly forest: Case;
  readonly pricing: Case & { readonly source: string };
  readonly methods: { readonly folder: string };
}

let kit: Kit;
let temporary: string;
let made: Made;
before(async () => {
  kit = await openKit();
  temporary = mkdtempSync(join(tmpdir(), "python-runner-"));
  made = askPython("pythonRunnerPeer.py", temporary) as Made;
});
after(() => {
  kit.dispose();
  rmSync(temporary, { recursive: true, force: true });
});

const batched: MethodSignature = {
  inputs: [],
  outputs: [],
  batchable: true,
  isOpen: true,
  batchDim: [0, 0],
  source: "model.yaml",
};

const alone: MethodSignature = { ...batched, batchable: false };

async function withModel(
  adapter: string,
  folder: string,
  signatures: LoadRequest["signatures"],
  use: (session: RunnerSession) => Promise<void>,
  more: Partial<PythonLoad> = {},
): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "model.yaml")
    .map(({ name }) => ({ path: name, sha256: sha256(join(folder, name)) }));
  const python = { interpreter: PYTHON, worker: "", folder, files, options: "{}", paths: [], preload: [], ...more };
  const request: LoadRequest = {
    label: "model",
    adapter,
    file: join(folder, "saved_model.pkl"),
    device: "cpu",
    signatures,
    batching: { enabled: true, maxBatchSize: 100 },
    python: { ...python, worker: join(process.cwd(), "src/frameworks/python") },
  };
  const session = openSession(request, { entry: kit.entry, log: silentLog });
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function json(value: unknown): Record<string, InputValue> {
  return { 0: { kind: "json", value } };
}

/** The arrays that a method gave, nested, by name. */
function arrays({ outputs }: RunResult): Record<string, unknown> {
  return Object.fromEntries(outputs.map(({ name, tensor }) => [name, tensor && tensorToNested(tensor)]));
}

for (const [name, adapter, method] of [
  ["forest", "sklearn", "predict_proba"],
  ["pricing", "picklable", "price"],
] as const) {
  test(`${adapter}: a method gives the numbers of the plain library, alone, in one piece and batched`, async () => {
    const { folder, rows, expected } = made[name];
    const paths = name === "pricing" ? [made.pricing.source] : [];
    await withModel(
      adapter,
      folder,
      { [method]: batched },
      async (session) => {
        const whole = await session.run({ method, inputs: json(rows), batch: false });
        assert.deepEqual(arrays(whole), { output: expected });
        assert.deepEqual([whole.batchSize, whole.batchRequests], [rows.length, 1]);
        for (const batch of [true, false]) {
          const answers = await Promise.all(rows.map((row) => session.run({ method, inputs: json([row]), batch })));
          assert.deepEqual(
            answers.map(arrays),
            expected.map((row) => ({ output: [row] })),
          );
          assert.equal(Math.max(...answers.map(({ batchRequests }) => batchRequests)), batch ? rows.length : 1);
        }
      },
      { paths },
    );
  });
}

test("a class of a project is not found without the project's folder, and its module is named", async () => {
  await withModel("picklable", made.pricing.folder, { price: batched }, async (session) => {
    await assert.rejects(session.load(), { code: "python.module", message: /\bshop\b/ });
    assert.equal(session.state, "failed");
  });
});

test("only the request that fails fails, in the words of its exception", async () => {
  await withModel("picklable", made.methods.folder, { positive: batched, shapes: alone }, async (session) => {
    await session.load();
    const runs = [1, -2, 3].map((value) => session.run({ method: "positive", inputs: json([[value]]), batch: true }));
    await assert.rejects(runs[1] as Promise<RunResult>, { code: "run.failed", message: /^ValueError: -2 is negative/ });
    assert.deepEqual(arrays(await (runs[0] as Promise<RunResult>)), { output: [[2]] });
    assert.deepEqual(arrays(await (runs[2] as Promise<RunResult>)), { output: [[6]] });
    const { outputs } = await session.run({ method: "shapes", inputs: {}, batch: false });
    const once = [1, 1];
    assert.deepEqual(outputs[0]?.value, { container: "object", value: { shapes: [[3, 1], once, once, once] } });
  });
});

test("requests are joined along one axis and their answers cut along another", async () => {
  const columns = { ...batched, batchDim: [1, 0] } as const;
  await withModel("picklable", made.methods.folder, { columns, shapes: alone }, async (session) => {
    await session.load();
    const inputs = [
      [[1], [2]],
      [
        [3, 5],
        [4, 6],
      ],
    ];
    const runs = await Promise.all(inputs.map((x) => session.run({ method: "columns", inputs: json(x), batch: true })));
    assert.deepEqual(runs.map(arrays), [
      { sums: [3], rows: [[1, 2]] },
      {
        sums: [7, 11],
        rows: [
          [3, 4],
          [5, 6],
        ],
      },
    ]);
    const { outputs } = await session.run({ method: "shapes", inputs: {}, batch: false });
    assert.deepEqual(outputs[0]?.value, { container: "object", value: { shapes: [[2, 3]] } });
  });
});

test("lists are batched too, and their integers stay exact", async () => {
  await withModel("picklable", made.methods.folder, { words: batched, shapes: alone }, async (session) => {
    await session.load();
    const runs = await Promise.all(
      [["a", "bc"], ["é"]].map((texts) => session.run({ method: "words", inputs: json(texts), batch: true })),
    );
    assert.deepEqual(
      runs.map(({ outputs }) => outputs.map(({ name, value }) => [name, value])),
      [
        [["output", { container: "list", items: [said("a!", 1n), said("bc!", 2n)] }]],
        [["output", { container: "list", items: [said("é!", 1n)] }]],
      ],
    );
    const { outputs } = await session.run({ method: "shapes", inputs: {}, batch: false });
    assert.deepEqual(outputs[0]?.value, { container: "object", value: { shapes: [[3]] } });
    const suffix: InputValue = { kind: "json", value: "?" };
    const asked = await session.run({ method: "words", inputs: { ...json(["a"]), suffix }, batch: false });
    assert.deepEqual(asked.outputs[0]?.value, { container: "list", items: [said("a?", 1n)] });
  });
});

function said(text: string, length: bigint): unknown {
  return { text, big: 2n ** 70n + length };
}

test("a method that blocks the interpreter in native code can be stopped, and the model answers again", async () => {
  let pid: number | undefined;
  await withModel("picklable", made.methods.folder, { stuck: alone, positive: batched }, async (session) => {
    await session.load();
    const controller = new AbortController();
    const run = session.run({ method: "stuck", inputs: {}, batch: false }, controller.signal);
    const waiting = session.run({ method: "positive", inputs: json([[4]]), batch: true });
    await session.ping();
    controller.abort();
    await assert.rejects(run, { code: "cancelled" });
    assert.deepEqual(arrays(await waiting), { output: [[8]] });
    pid = session.facts.pid;
    assert.equal(privateFolders(pid).length, 1);
  });
  assert.deepEqual(privateFolders(pid), []);
});

/** Folders that a runner made for its Python process. */
function privateFolders(pid: number | undefined): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`modelbench-python-${pid}-`));
}
