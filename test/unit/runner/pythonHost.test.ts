import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import type { Tensor } from "../../../src/formats/tensor";
import type { InputValue } from "../../../src/runner/protocol";
import { openPython } from "../../../src/runner/pythonHost";
import type { PythonProcess } from "../../../src/runner/pythonProcess";
import { openSession } from "../../../src/runner/session";
import { isTensor } from "../../../src/runner/values";
import { open, openPythonKit, type PythonKit, runAlone, tell, withModel } from "./pythonKit";
import { floats, isAlive, until } from "./runnerKit";

let kit: PythonKit;
before(async () => {
  kit = await openPythonKit();
});
after(() => kit.dispose());

/** What the scripted worker tells of itself. */
interface About {
  readonly pid: number;
  readonly group: number;
  readonly isolated: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly inCwd: readonly string[];
  readonly mode: number;
  readonly files: Readonly<Record<string, readonly [isLink: boolean, content: string]>>;
  readonly load: Readonly<Record<string, unknown>>;
}

const threadCounts = [
  "OMP_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "MKL_NUM_THREADS",
  "VECLIB_MAXIMUM_THREADS",
  "NUMEXPR_NUM_THREADS",
];

function texts(...words: string[]): Tensor {
  const parts = words.flatMap((word) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(word));
    return [length, Buffer.from(word)];
  });
  return { dtype: "string", shape: [words.length], data: Buffer.concat(parts) };
}

test("values of every kind come to the worker and back as they are", async () => {
  const values: [string, InputValue][] = [
    ["0", { kind: "tensor", tensor: floats([[1.5, "NaN", -0]]) }],
    ["1", { kind: "value", value: { container: "list", items: [2n ** 70n, "NaN", null, { a: [true] }, "é\0"] } }],
    [
      "frame",
      {
        kind: "value",
        value: {
          container: "dataframe",
          columns: [
            ["b", floats([1, 2])],
            ["a", texts("x", "ü")],
          ],
        },
      },
    ],
    ["object", { kind: "value", value: { container: "object", value: { z: 1, a: -(2n ** 64n) } } }],
    ["empty", { kind: "value", value: { container: "dataframe", columns: [] } }],
    ["__proto__", { kind: "value", value: { container: "object", value: null } }],
  ];
  await withModel(kit, kit.scripted(), async (session) => {
    const { outputs } = await runAlone(session, "echo", Object.fromEntries(values));
    assert.deepEqual(
      outputs.map(({ name }) => name),
      values.map(([name]) => name),
    );
    for (const [i, { tensor, value, dtype, shape }] of outputs.entries()) {
      const given = values[i]?.[1];
      if (given?.kind === "tensor") assert.deepEqual(plain(tensor), plain(given.tensor));
      else
        assert.deepEqual(
          { dtype, shape, value: plain(value) },
          { dtype: "string", shape: [], value: plain(sent(given)) },
        );
    }
  });
});

function sent(value: InputValue | undefined): unknown {
  return value?.kind === "value" ? value.value : undefined;
}

/** Bytes in whatever view as plain lists. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

test("JSON becomes an array where it is one of numbers, else a list or an object", async () => {
  const json = (value: unknown): InputValue => ({ kind: "json", value });
  const file = join(kit.folder, "rows.json");
  writeFileSync(file, "[[1, 2], [3, 9007199254740994]]");
  await withModel(kit, kit.scripted(), async (session) => {
    const { outputs } = await runAlone(session, "echo", {
      numbers: json([
        [1, "NaN"],
        [2, "-Infinity"],
      ]),
      ragged: json([[1], [2, 3]]),
      words: json(["NaN"]),
      nothing: json([]),
      one: json(7n),
      text: { kind: "text", text: '{"a": 18446744073709551616}' },
      file: { kind: "file", path: file },
      made: { kind: "generate", pattern: "range", seed: 0, dims: [2, 2] },
    });
    assert.deepEqual(
      outputs.map(({ name, dtype, shape, value }) => [name, value ?? `${dtype} ${shape.join(" ")}`]),
      [
        ["numbers", "float64 2 2"],
        ["ragged", { container: "list", items: [[1], [2, 3]] }],
        ["words", { container: "list", items: ["NaN"] }],
        ["nothing", { container: "list", items: [] }],
        ["one", { container: "object", value: 7 }],
        ["text", { container: "object", value: { a: 2n ** 64n } }],
        ["file", "float64 2 2"],
        ["made", "float64 2 2"],
      ],
    );
    await assert.rejects(runAlone(session, "echo", { x: json([[2n ** 53n + 1n]]) }), { code: "input.dtype" });
    await assert.rejects(runAlone(session, "echo", { 0: json(1), 2: json(2) }), {
      code: "input.notFound",
      message: "`1`: expected the value of this position, since position 2 is given.",
    });
  });
});

test("the worker sees the listed files, an empty folder and the allowed variables, and nothing else", async () => {
  process.env["PYTHONPATH"] = "/nowhere";
  process.env["SECRET_TOKEN"] = "s3cret";
  try {
    const options = { partial_kwargs: { a: 1 } };
    const python = { paths: ["/project/src"], preload: ["register"], init: false };
    await withModel(kit, kit.scripted({ options, python }), async (session) => {
      const about = (await tell(session, "about")) as About;
      assert.deepEqual(about.files, {
        "saved_model.pkl": [false, "a pickle"],
        "more/weights.msgpack": [true, "weights"],
        "model.yaml": [false, "module: a"],
      });
      assert.deepEqual([about.inCwd, about.mode, about.isolated, about.group], [[], 0o700, 1, about.pid]);
      assert.equal(join(about.cwd, ".."), join(String(about.load["folder"]), ".."));
      const expected = {
        adapter: "picklable",
        label: "scripted",
        options: JSON.stringify(options),
        device: "cpu",
        ...python,
      };
      assert.deepEqual({ ...about.load, folder: undefined }, { ...expected, folder: undefined });
      // Python sets LC_CTYPE itself where no locale is.
      const allowed = new Set(["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]);
      assert.deepEqual(
        Object.fromEntries(Object.entries(about.env).filter(([name]) => !allowed.has(name))),
        Object.fromEntries([["CUDA_VISIBLE_DEVICES", "-1"], ...threadCounts.map((name) => [name, "1"])]),
      );
    });
  } finally {
    delete process.env["PYTHONPATH"];
    delete process.env["SECRET_TOKEN"];
  }
});

test("a model of several threads is not held to one, and sees the GPU it is for", async () => {
  for (const [device, visible, told, named] of [
    ["cuda", undefined, "cuda", "cuda"],
    ["cuda:1", "1", "cuda", "cuda:1"],
    ["cpu", "-1", "cpu", "cpu"],
  ] as const) {
    await withModel(kit, kit.scripted({ adapter: "sklearn", device }), async (session) => {
      const { env, load } = (await tell(session, "about")) as About;
      assert.deepEqual(
        threadCounts.filter((name) => name in env),
        [],
      );
      assert.deepEqual([env["CUDA_VISIBLE_DEVICES"], load["device"]], [visible, told]);
      assert.deepEqual(await session.load(), { device: named, loadMs: 7, versions: {}, unfetchable: {} });
    });
  }
});

test("a failure that the worker tells reaches the caller in its words", async () => {
  await withModel(kit, kit.scripted(), async (session) => {
    const failure = { code: "run.failed", message: "ValueError: no luck", remedy: "Try again." };
    await assert.rejects(runAlone(session, "refuse"), failure);
    await assert.rejects(runAlone(session, "absent"), { code: "method.notFound" });
    assert.equal(await tell(session, "calls"), 2);
  });
});

test("requests that arrive together are one call of the worker, and one that is to run alone is not", async () => {
  const methods = { echo: { ...open, batchable: true }, calls: open };
  await withModel(kit, kit.scripted({ methods }), async (session) => {
    await session.load();
    const inputs = [1, 2, 3].map((value) => ({ x: { kind: "tensor", tensor: floats([[value]]) } }) as const);
    const ran = await Promise.all(inputs.map((input) => session.run({ method: "echo", inputs: input, batch: true })));
    assert.deepEqual(
      ran.map(({ outputs, batchSize, batchRequests }) => [plain(outputs[0]?.tensor), batchSize, batchRequests]),
      inputs.map(({ x }) => [plain(x.tensor), 3, 3]),
    );
    assert.equal(await tell(session, "calls"), 2);
    const alone = await Promise.all(inputs.map((input) => runAlone(session, "echo", input)));
    assert.deepEqual(
      alone.map(({ batchSize, batchRequests }) => [batchSize, batchRequests]),
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    );
    assert.equal(await tell(session, "calls"), 6);
  });
});

test("large tensors stay in the runner, and of other values the beginning comes", async () => {
  await withModel(kit, kit.scripted(), async (session) => {
    const column = floats(Array.from({ length: 1_500 }, (_, i) => i));
    const inputs = {
      x: { kind: "tensor", tensor: floats([[1], [2]]) },
      list: { kind: "value", value: { container: "list", items: ["short", 1] } },
      long: { kind: "value", value: { container: "object", value: "x".repeat(200_000) } },
      table: { kind: "value", value: { container: "dataframe", columns: [["n", column]] } },
    } as const;
    const { outputs } = await session.run({ method: "echo", inputs, batch: false, keepAboveBytes: 4 });
    const [x, list, long, table] = outputs;
    assert.deepEqual(plain(await session.readResult(x?.kept ?? "", 1, 1)), plain(floats([[2]])));
    assert.deepEqual([list?.start, list?.value], [{ kind: "json", text: '["short", 1]', isWhole: true }, undefined]);
    assert.ok(long?.start?.kind === "json" && table?.start?.kind === "table");
    assert.deepEqual(
      [long.start.isWhole, long.start.text.length, long.value, long.kept],
      [false, 100_000, undefined, undefined],
    );
    const { frame, count } = table.start;
    assert.deepEqual([frame.columns[0]?.[1].shape, count, table.value], [[1_000], 1_500, undefined]);
    const rest = await session.readResult(table.kept ?? "", 1_000, 2_000);
    assert.ok(!isTensor(rest));
    assert.deepEqual(plain(rest.columns[0]?.[1]), plain(floats(Array.from({ length: 500 }, (_, i) => 1_000 + i))));
    const whole = await runAlone(session, "echo", inputs);
    assert.deepEqual(whole.outputs[2]?.value, inputs.long.value);
  });
});

test("outputs come in the order that the model gives them, also where their names are whole numbers", async () => {
  const names = ["10", "b", "9", "0"];
  const outputs = names.map((name) => ({ name, type: "tensor", dtype: "float32", shape: null }) as const);
  const methods = { echo: { ...open, isOpen: false, inputs: outputs, outputs } };
  const inputs = Object.fromEntries(names.map((name) => [name, { kind: "tensor", tensor: floats([1]) } as const]));
  await withModel(kit, kit.scripted({ methods }), async (session) => {
    const ran = await runAlone(session, "echo", inputs);
    assert.deepEqual(
      ran.outputs.map(({ name }) => name),
      names,
    );
  });
});

for (const [what, path, change] of [
  ["a pickle that changed", "saved_model.pkl", "another pickle"],
  ["weights that changed", "more/weights.msgpack", "other weights"],
] as const) {
  test(`${what} after it was allowed is not loaded`, async () => {
    const request = kit.scripted();
    writeFileSync(join(request.python?.folder ?? "", path), change);
    await withModel(kit, request, async (session) => {
      const words = new RegExp(`^scripted: its file ${path} is not the one`);
      await assert.rejects(session.load(), { code: "model.changed", message: words });
      assert.deepEqual(kit.privateFolders(), []);
    });
  });
}

test("a listed file that is gone, one outside the folder and a missing interpreter end the load", async () => {
  const digest = "0".repeat(64);
  for (const [python, code] of [
    [{ files: [{ path: "gone.pkl", sha256: digest }] }, "model.changed"],
    [{ files: [{ path: "../saved_model.pkl", sha256: digest }] }, "protocol.invalid"],
    [{ files: [{ path: "/etc/passwd", sha256: digest }] }, "protocol.invalid"],
    [{ interpreter: join(kit.folder, "no-python") }, "python.missing"],
    [{ interpreter: kit.folder }, "python.missing"],
    [{ interpreter: "" }, "python.missing"],
  ] as const) {
    await withModel(kit, kit.scripted({ python }), async (session) => {
      await assert.rejects(session.load(), { code });
      assert.deepEqual(kit.privateFolders(), []);
    });
  }
});

test("a worker that is idle and dies comes back in a folder of its own", async () => {
  await withModel(kit, kit.scripted(), async (session) => {
    const first = (await tell(session, "about")) as About;
    process.kill(first.pid, "SIGKILL");
    await until(() => session.state === "starting", "the death is noticed");
    const second = (await tell(session, "about")) as About;
    assert.notEqual(second.cwd, first.cwd);
    assert.equal(kit.privateFolders().length, 1);
    assert.ok(!isAlive(first.pid));
  });
});

test("folders that killed runners left behind are removed by the next one, others stay", async () => {
  const { pid: ended } = spawnSync(process.execPath, ["-e", ""]);
  const namespace = readlinkSync("/proc/self/ns/pid").replace(/[^0-9]/g, "");
  const made = [`${ended}-${namespace}-abc`, `${process.pid}-${namespace}-abc`, `${ended}-7-abc`, "strange"].map(
    (name) => {
      const path = join(tmpdir(), `modelbench-python-${name}`);
      mkdirSync(join(path, "work"), { recursive: true });
      return path;
    },
  );
  const session = openSession(kit.scripted(), { entry: kit.entry, log: silentLog });
  try {
    await session.load();
    assert.deepEqual(made.map(existsSync), [false, true, true, true]);
    assert.match(kit.privateFolders().join(" "), new RegExp(`modelbench-python-${session.facts.pid}-${namespace}-`));
  } finally {
    await session.stop();
    for (const path of made) rmSync(path, { recursive: true, force: true });
  }
});

test("a folder of another container is left alone, though a process with the same id ends here", async () => {
  const session = openSession(kit.scripted(), { entry: kit.entry, log: silentLog });
  await session.load();
  const theirs = join(tmpdir(), `modelbench-python-${session.facts.pid}-7-abc`);
  try {
    mkdirSync(join(theirs, "work"), { recursive: true });
    await session.stop();
    assert.deepEqual(kit.privateFolders(), [basename(theirs)]);
  } finally {
    await session.stop();
    rmSync(theirs, { recursive: true, force: true });
  }
});

test("a worker that ends while its files are looked at once more fails the load: nobody would hear of it later", async (t) => {
  let started: PythonProcess | undefined;
  const { stat } = fs;
  t.mock.method(fs, "stat", async (...args: Parameters<typeof stat>) => {
    started?.kill();
    await started?.ended;
    return stat(...args);
  });
  syncBuiltinESMExports();
  const keep = (process: PythonProcess) => {
    started = process;
  };
  const opened = openPython(kit.scripted(), () => assert.fail("it was not open yet"), keep);
  await assert.rejects(opened, { code: "worker.died" }).finally(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.deepEqual(kit.privateFolders(), []);
});
