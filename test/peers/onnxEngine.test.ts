import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/base/log";
import { tensorToNested } from "../../src/formats/tensorJson";
import { describeOnnxFile } from "../../src/frameworks/onnx/describe";
import { DEFAULT_SETTINGS, type OnnxSettings } from "../../src/frameworks/onnx/sessionOptions";
import type { RunnerSession } from "../../src/runner/client";
import { inOwnPython } from "../../src/runner/ownPython";
import type { LoadRequest } from "../../src/runner/protocol";
import { openSession } from "../../src/runner/session";
import { type CliKit, openCliKit } from "../fixtures/cliKit";
import { json, plain, plainNumbers, runAlone, type Values, workersOf } from "./onnxEngineKit";
import { askPython } from "./python";
import { PythonWorker } from "./pythonWorkerKit";

const PYTHON = resolve(".tools/venv/bin/python");

interface Case {
  readonly file: string;
  readonly inputs: Values;
  readonly outputs: Values;
}

interface Made {
  readonly files: Readonly<
    Record<string, Case & { readonly values: unknown; readonly codes: number[]; readonly expected: unknown }>
  >;
  readonly saved: Readonly<Record<string, Pick<Case, "inputs" | "outputs">>>;
}

let kit: CliKit;
let made: Made;
before(async () => {
  kit = await openCliKit();
  const folder = join(kit.folder, "models");
  mkdirSync(folder);
  made = plainNumbers(askPython("onnxEnginePeer.py", kit.home, folder)) as Made;
});
after(() => kit.dispose());

function caseOf(name: string): Made["files"][string] {
  const found = made.files[name];
  assert.ok(found, `no case ${name}`);
  return found;
}

/** A model of a file; `python:` before the device = the user's own runtime. */
async function withModel(
  name: string,
  device: string,
  use: (session: RunnerSession) => Promise<void>,
  more: Partial<LoadRequest> = {},
): Promise<void> {
  const { file } = caseOf(name);
  const { run } = describeOnnxFile(file).signatures ?? {};
  assert.ok(run);
  const request: LoadRequest = {
    label: name,
    adapter: "onnx",
    file,
    device,
    signatures: { run: { ...run, batchable: true } },
    batching: { enabled: true, maxBatchSize: 100 },
    ...more,
  };
  const worker = resolve("src/frameworks/python");
  const asked = device.startsWith("python:") ? inOwnPython(request, PYTHON, worker) : request;
  const session = openSession(asked, { entry: join(kit.entry, "../runner.cjs"), log: silentLog });
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

for (const name of ["linear", "external", "text", "numbers"]) {
  test(`${name}: both engines give the numbers of the plain runtime, outputs in the model's order`, async () => {
    const { inputs, outputs } = caseOf(name);
    for (const device of ["cpu", "python:cpu"]) {
      await withModel(name, device, async (session) => {
        const loaded = await session.load();
        assert.equal(loaded.device, "cpu");
        if (device !== "cpu") assert.match(loaded.versions?.["onnxruntime"] ?? "", /^1\.31\./);
        // The bundled library would end a text at its NUL, and says so.
        if (name === "text" && device === "cpu") {
          await assert.rejects(runAlone(session, inputs), { code: "run.unsupported" });
          return;
        }
        const result = await runAlone(session, inputs);
        assert.deepEqual(plain(result), outputs, device);
        assert.deepEqual(
          result.outputs.map((output) => output.name),
          describeOnnxFile(caseOf(name).file).signatures?.["run"]?.outputs.map((output) => output.name),
        );
      });
    }
  });
}

for (const name of ["bfloat16", "float8_e4m3fn", "float8_e5m2"] as const) {
  test(`${name} goes in and comes out of Python's runtime, where the bundled one refuses it`, async () => {
    const { codes, expected } = caseOf(name);
    const x = { kind: "tensor", tensor: { dtype: name, shape: [2, 3], data: Uint8Array.from(codes) } } as const;
    await withModel(name, "cpu", async (session) => {
      await assert.rejects(session.run({ method: "run", inputs: { x }, batch: false }), { code: "run.unsupported" });
    });
    await withModel(name, "python:cpu", async (session) => {
      const { outputs, unfetchable } = await session.run({ method: "run", inputs: { x }, batch: false });
      const y = outputs[0]?.tensor;
      assert.deepEqual([y?.dtype, y?.shape, unfetchable], [name, [2, 3], []]);
      assert.deepEqual([...(y?.data ?? [])], codes);
      assert.deepEqual(y && tensorToNested(y), expected);
      const none = { ...x, tensor: { ...x.tensor, shape: [0, 3], data: new Uint8Array() } };
      const empty = await session.run({ method: "run", inputs: { x: none }, batch: false });
      assert.deepEqual(empty.outputs[0]?.shape, [0, 3]);
    });
  });
}

test("JSON is enough for bfloat16", async () => {
  await withModel("bfloat16", "python:cpu", async (session) => {
    const { values, expected } = caseOf("bfloat16");
    assert.deepEqual(plain(await runAlone(session, { x: values }))["y"], {
      dtype: "bfloat16",
      shape: [2, 3],
      data: expected,
    });
  });
});

test("4-bit integers are packed and unpacked, an odd number of them too", async () => {
  await withModel("quantized", "python:cpu", async (session) => {
    const inputs = {
      x: [
        [3.4, -4, 0.5],
        [99, -99, 0],
      ],
      c: [[-8, 7, -1, 0, 3]],
    };
    assert.deepEqual(plain(await runAlone(session, inputs)), {
      q: {
        dtype: "int4",
        shape: [2, 3],
        data: [
          [7, -8, 1],
          [7, -8, 0],
        ],
      },
      y: { dtype: "float32", shape: [1, 5], data: [[-4, 3.5, -0.5, 0, 1.5]] },
    });
  });
});

test("sequences, optional values and types that numpy has not come in one answer, in the model's order", async () => {
  await withModel("mixed", "python:cpu", async (session) => {
    const x = [
      [1, 2, 3.5],
      [4, 5, 6],
    ];
    const expected = {
      rows: [[[1, 2, 3.5]], [[4, 5, 6]]],
      half: { dtype: "bfloat16", shape: [2, 3], data: x },
      less: { dtype: "float32", shape: [2, 3], data: x.map((row) => row.map((item) => -item)) },
      maybe: { dtype: "float32", shape: [2, 3], data: x },
      never: null,
    };
    const answer = await runAlone(session, { x });
    assert.deepEqual(plain(answer), expected);
    assert.deepEqual(
      answer.outputs.map(({ name }) => name),
      Object.keys(expected),
    );
    // A sequence of two tensors is not a row for each of two requests.
    const both = await Promise.all(
      x.map((row) => session.run({ method: "run", inputs: json({ x: [row] }), batch: true })),
    );
    assert.deepEqual(
      both.map((each) => plain(each)["rows"]),
      x.map((row) => [[row]]),
    );
  });
});

test("a classifier of skl2onnx gives its maps, one a row, alone and batched; the bundled runtime leaves them out", async () => {
  const { inputs, outputs } = caseOf("zipmap");
  const rows = inputs["X"] as number[][];
  await withModel("zipmap", "cpu", async (session) => {
    const { unfetchable } = await runAlone(session, inputs);
    assert.deepEqual(
      unfetchable.map(({ name }) => name),
      ["output_probability"],
    );
  });
  await withModel("zipmap", "python:cpu", async (session) => {
    const whole = await runAlone(session, inputs);
    assert.deepEqual([plain(whole), whole.unfetchable], [outputs, []]);
    const send = (row: number[]) => session.run({ method: "run", inputs: json({ X: [row] }), batch: true });
    const answers = await Promise.all(rows.map(send));
    assert.deepEqual(
      answers.map(({ batchSize, batchRequests }) => [batchSize, batchRequests]),
      rows.map(() => [3, 3]),
    );
    assert.deepEqual(
      answers.map((answer) => (plain(answer)["output_probability"] as unknown[])[0]),
      outputs["output_probability"],
    );
  });
});

test("the session is opened with the settings, and what Python's engine does not have is said", async () => {
  const onnx: OnnxSettings = {
    ...DEFAULT_SETTINGS,
    graphOptimization: "basic",
    executionMode: "parallel",
    intraOpThreads: 2,
    concurrency: 3,
    providers: ["cuda", "cpu"],
  };
  await withModel(
    "linear",
    "python:auto",
    async (session) => {
      const { device, fallbacks } = await session.load();
      assert.equal(device, "cpu");
      assert.deepEqual(fallbacks, [
        "cuda is not used: it is not in this build of ONNX Runtime.",
        "3 runs at once are for the bundled runtime only: in Python there is one at a time.",
      ]);
      assert.deepEqual(plain(await runAlone(session, caseOf("linear").inputs)), caseOf("linear").outputs);
    },
    { onnx },
  );
});

test("a device that Python's runtime does not have is refused with those it has", async () => {
  for (const [device, message] of [
    ["python:cuda", "cuda is not in this build of ONNX Runtime."],
    ["python:coreml", "coreml is not in this build of ONNX Runtime."],
  ] as const) {
    await withModel("linear", device, async (session) => {
      const remedy = "Use python:cpu, or install onnxruntime-gpu for cuda.";
      await assert.rejects(session.load(), { code: "device.unavailable", message, remedy });
    });
  }
});

test("what the runtime says of a model and of its inputs has the words that the bundled one's has", async () => {
  const { file } = caseOf("linear");
  const cut = join(kit.folder, "cut.onnx");
  writeFileSync(cut, readFileSync(file).subarray(0, -20));
  await withModel(
    "linear",
    "python:cpu",
    async (session) => {
      await assert.rejects(session.load(), { code: "format.corrupt" });
    },
    { file: cut },
  );
  await withModel(
    "linear",
    "python:cpu",
    async (session) => {
      const wrong = runAlone(session, { x: [[1, 2]] });
      await assert.rejects(wrong, { code: "input.shape", message: /Input "x" has 2 in dimension 1; 4 was expected/ });
      assert.deepEqual(plain(await runAlone(session, caseOf("linear").inputs)), caseOf("linear").outputs);
    },
    {
      signatures: {
        run: {
          inputs: [{ name: "x", type: "tensor", dtype: "float32", shape: null }],
          outputs: [],
          batchable: false,
          batchDim: [0, 0],
          source: "onnx",
        },
      },
    },
  );
});

test("external data that are gone or lie outside the folder are refused before Python opens anything", async () => {
  const folder = join(kit.folder, "outside");
  mkdirSync(folder);
  const file = join(folder, "external.onnx");
  writeFileSync(file, readFileSync(caseOf("external").file));
  const refused = () =>
    withModel("external", "python:cpu", async (session) => assert.rejects(session.load(), { code: "onnx.external" }), {
      file,
    });
  await refused();
  const bytes = readFileSync(file);
  const at = bytes.indexOf("weights.bin");
  bytes.write("../weig.bin", at);
  writeFileSync(file, bytes);
  writeFileSync(join(kit.folder, "weig.bin"), Buffer.alloc(1000));
  await refused();
});

test("a worker that is killed in the middle of a run costs the caller nothing, and leaves no folder", async () => {
  await withModel("slow", "python:cpu", async (session) => {
    await session.load();
    const x = { kind: "generate", pattern: "zeros", seed: 0, dims: [] } as const;
    const run = (n: number) =>
      session.run({ method: "run", inputs: { n: { kind: "json", value: n }, x }, batch: false });
    const answer = run(600_000);
    const { pid } = session.facts;
    const [worker] = workersOf(pid);
    assert.ok(worker, "no Python process");
    await new Promise((done) => setTimeout(done, 200));
    process.kill(worker, "SIGKILL");
    const { outputs } = await answer;
    assert.equal(outputs[0]?.tensor && (tensorToNested(outputs[0].tensor) as number[])[0], 600_000);
    assert.notEqual(session.facts.pid, pid);
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`modelbench-python-${pid}-`)),
      [],
    );
  });
});

test("only the outputs that are asked for are made, also none", async () => {
  const worker = new PythonWorker();
  try {
    const folder = join(kit.folder, "models");
    await worker.load("onnx", folder, { device: "cpu", file: "linear.onnx", session: {} });
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const bodies = [{ dtype: "float32", shape: [1, 4], data }] as const;
    const args = [{ name: "x", value: { tensor: 0 } }];
    for (const wanted of [["y"], ["y", "z"], [], ["z"]]) {
      const frame = await worker.ask("run", { method: "run", args, outputs: wanted }, bodies);
      const { outputs } = frame.data as { outputs: { name: string }[] };
      assert.deepEqual(
        outputs.map(({ name }) => name),
        ["z", "y"].filter((name) => wanted.includes(name)),
      );
      assert.equal(frame.bodies.length, wanted.length);
    }
    const foreign = worker.ask("run", { method: "run", args: [{ name: "v", value: { tensor: 0 } }] }, bodies);
    await assert.rejects(foreign, { code: "input.name", message: /It has: x\./ });
  } finally {
    await worker.close();
  }
});

interface Printed {
  readonly outputs: Record<string, { json?: unknown }>;
  readonly device: string;
}

test("models of the real bentoml.onnx run in both engines from the command line, without being asked for consent", async () => {
  for (const [name, { inputs, outputs }] of Object.entries(made.saved)) {
    const given = Object.entries(inputs).map(([input, value]) => `--input=${input}=${JSON.stringify(value)}`);
    const answer = await kit.json<Printed>("run", name, ...given, "--device", "python:cpu", "--python", PYTHON);
    const shown = Object.entries(answer.outputs).map(([output, value]) => [
      output,
      "json" in value ? value.json : value,
    ]);
    assert.deepEqual(Object.fromEntries(shown), outputs);
    assert.equal(answer.device, "cpu");
  }
  const { inputs, outputs } = made.saved["linear"] ?? {};
  const bundled = await kit.json<Printed>("run", "linear", `--input=x=${JSON.stringify(inputs?.["x"])}`);
  assert.deepEqual(bundled.outputs, outputs);
});

test("an interpreter without onnxruntime is refused with the line that installs it", async () => {
  const empty = join(kit.folder, "empty", "bin");
  mkdirSync(empty, { recursive: true });
  const python = join(empty, "python");
  writeFileSync(python, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  mkdirSync(join(kit.folder, "empty/lib/python3.11/site-packages"), { recursive: true });
  const { code, stderr } = await kit.run([
    "run",
    caseOf("linear").file,
    "--example",
    "--device",
    "python:cuda",
    "--python",
    python,
    "-o",
    "json",
  ]);
  const { error } = JSON.parse(stderr);
  assert.deepEqual(
    [code, error.code, error.remedy],
    [1, "python.missing", `Run: ${python} -m pip install onnxruntime`],
  );
  rmSync(join(kit.folder, "empty"), { recursive: true });
});
