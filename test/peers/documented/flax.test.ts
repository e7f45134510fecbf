import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeNpy } from "../../../src/formats/npy";
import type { InputValue } from "../../../src/runner/protocol";
import { askPython } from "../python";
import { difference, ExampleKit, floats, type Nested, nested, runTogether, signature } from "./exampleKit";

type Rows = readonly (readonly number[])[];

interface Batched {
  readonly folder: string;
  readonly calls: readonly (readonly [Rows])[];
  readonly plain: readonly Nested[];
  readonly runner?: readonly Nested[];
}

interface Theirs {
  readonly mnist: {
    readonly plain: Nested;
    readonly runner: Nested;
    readonly rows: Rows;
    readonly ofRows: Nested;
    readonly runnerOfRows: Nested;
    readonly loads: { readonly true: Nested; readonly false: Nested };
    readonly gpu: string;
  };
  readonly of_frames: { readonly frame: unknown; readonly plain: Nested; readonly runner: Nested };
  readonly states: Readonly<
    Record<
      string,
      { readonly folder: string; readonly rows: Rows; readonly plain: Nested; readonly runner: Nested | string }
    >
  >;
  readonly batches: Readonly<Record<"traced" | "columns" | "mean", Batched>> & { readonly rows: Rows };
  readonly pair: { readonly args: readonly [Rows, Rows]; readonly plain: Nested; readonly runner: Nested };
  readonly asking: { readonly folder: string };
  readonly layers: {
    readonly source: string;
    readonly rows: Rows;
    readonly plain: Nested;
    readonly runner: Nested;
  };
  readonly exported: {
    readonly names: readonly string[];
    readonly ofExample: Nested;
  };
  readonly nnx_cnn: {
    readonly folder: string;
    readonly rows: Nested[];
    readonly plain: Nested[];
  };
}

/** What two calls of one library may differ by that round differently: batched or not, jitted or not. */
const ROUNDING = 1e-6;

const ONES = [Array.from({ length: 784 }, () => 1)];

let kit: ExampleKit;
let theirs: Theirs;
before(async () => {
  kit = await ExampleKit.open();
  theirs = JSON.parse(
    JSON.stringify(askPython("documented/flaxPeer.py", kit.home, kit.project), smallNumber),
  ) as Theirs;
});
after(() => kit.dispose());

/** Python's integers of these examples are all small. */
function smallNumber(_: string, item: unknown): unknown {
  return typeof item === "bigint" ? Number(item) : item;
}

const input = (value: unknown, at = 0) => ["--input", `${at}=${JSON.stringify(value)}`];

test("mnist: predict_fn(jnp.ones((1, 784))) is what one run gives, to the bit, and what BentoML's runner gives", async () => {
  const { dtype, data } = await kit.output("mnist:latest", ...input(ONES));
  assert.equal(dtype, "float32");
  assert.deepEqual(data, theirs.mnist.plain);
  assert.ok(difference(data, theirs.mnist.runner) < ROUNDING);
});

test("mnist: numpy's arrays of a file are the same, more rows at once too", async () => {
  const { rows, ofRows, runnerOfRows } = theirs.mnist;
  const path = join(kit.cli.folder, "rows.npy");
  writeFileSync(
    path,
    writeNpy({ dtype: "float32", shape: [2, 784], data: new Uint8Array(Float32Array.from(rows.flat()).buffer) }),
  );
  const { data } = await kit.once("mnist", "--input", `0=${path}`);
  assert.deepEqual(data, ofRows);
  assert.ok(difference(data, runnerOfRows) < ROUNDING);
});

for (const [init, flags] of [
  ["true", ["--init", "--device", "cpu"]],
  ["false", ["--no-init"]],
  ["false", ["--no-init", "--device", "cpu"]],
] as const) {
  test(`mnist: load_model(init=${init}) ${flags.join(" ")}: BentoML's state gives the same`, async () => {
    const { data } = await kit.once("mnist", ...input(theirs.mnist.rows), ...flags);
    assert.deepEqual(data, theirs.mnist.loads[init]);
  });
}

test("mnist: a device that jax does not have is refused, as load_model(init=False) refuses it", async (t) => {
  if (theirs.mnist.gpu === "there") return t.skip("gpu: jax has one here");
  assert.equal(theirs.mnist.gpu, "RuntimeError");
  const { code, message } = await kit.failure(["mnist", ...input(ONES), "--no-init", "--device", "gpu"]);
  assert.deepEqual([code, /gpu.*It has: cpu/.test(message)], ["device.unavailable", true]);
});

test("a DataFrame is given to the module as the array that BentoML's runner makes of it", async () => {
  const { frame, plain, runner } = theirs.of_frames;
  const { data } = await kit.once("dense", ...input(frame), "--as", "dataframe");
  assert.deepEqual(data, plain);
  assert.ok(difference(data, runner) < ROUNDING);
});

for (const [name, title] of [
  ["batch_norm", "BatchNorm: the whole state counts, batch_stats too, which BentoML's runner leaves out"],
  ["frozen", "a FrozenDict runs as the dict that it froze"],
  ["train_state", "a TrainState runs with its params and its batch_stats"],
] as const) {
  test(title, async () => {
    const { folder, rows, plain, runner } = theirs.states[name] as Theirs["states"][string];
    assert.match(String(runner), /ScopeCollectionNotFound|ScopeVariableNotFound/);
    assert.deepEqual((await kit.output(name, ...input(rows))).data, plain);
    await kit.withModel({ adapter: "flax", folder, signatures: { __call__: signature([0, 0]) } }, async (session) => {
      await session.load();
      const each = await Promise.all(
        rows.map((row) => session.run({ method: "__call__", inputs: floats([row]), batch: true })),
      );
      assert.ok(difference(each.flatMap(nested) as Nested, plain) < ROUNDING);
    });
  });
}

test("calls of a batchable __call__ are one inference, of a size that is a power of two", async () => {
  const { folder, calls, plain, runner } = theirs.batches.traced;
  const signatures = { __call__: signature([0, 0]), hold: signature() };
  await kit.withModel({ adapter: "flax", folder, signatures }, async (session, printed) => {
    const runs = await runTogether(
      session,
      "__call__",
      calls.map(([rows]) => floats(rows)),
    );
    assert.deepEqual(
      runs.map(({ batchSize, batchRequests }) => [batchSize, batchRequests]),
      calls.map(() => [3, 3]),
    );
    assert.ok(difference(runs.map(nested), plain) < ROUNDING);
    assert.ok(difference(runs.map(nested), runner) < ROUNDING);
    await heard(() => traces(printed()).includes(4));
  });
});

test("a size that was padded before is never compiled again, and full batches are as large as they may be", async () => {
  const { folder } = theirs.batches.traced;
  const { rows } = theirs.batches;
  const signatures = { __call__: signature([0, 0]) };
  await kit.withModel({ adapter: "flax", folder, signatures, maxBatchSize: 6 }, async (session, printed) => {
    const run = async (count: number, batch = true) =>
      nested(await session.run({ method: "__call__", inputs: floats(rows.slice(0, count)), batch }));
    const whole = (await run(9, false)) as Nested[];
    for (const count of [3, 4, 3, 5, 6, 5, 6, 3, 4]) {
      const answer = await run(count);
      assert.ok(difference(answer, whole.slice(0, count)) < ROUNDING, `${count} rows`);
    }
    // 9 directly; 3 once, to see that its answer has three rows; then only what it is padded to.
    await heard(() => traces(printed()).includes(6));
    assert.deepEqual(traces(printed()), [9, 3, 4, 6]);
  });
});

test("requests are joined along one axis and their answers cut along another, padded or not", async () => {
  const { folder, calls, plain, runner } = theirs.batches.columns;
  await kit.withModel({ adapter: "flax", folder, signatures: { __call__: signature([1, 0]) } }, async (session) => {
    await session.load();
    const runs = await Promise.all(
      calls.map(([rows]) => session.run({ method: "__call__", inputs: floats(rows), batch: true })),
    );
    assert.ok(difference(runs.map(nested), plain) < ROUNDING);
    assert.ok(difference(runs.map(nested), runner) < ROUNDING);
  });
});

test("a method whose answer has no row for each is never padded: it gives the same, batched or not", async () => {
  const { folder, calls, plain } = theirs.batches.mean;
  await kit.withModel({ adapter: "flax", folder, signatures: { __call__: signature([0, 0]) } }, async (session) => {
    for (const batch of [true, false]) {
      const run = await session.run({ method: "__call__", inputs: floats((calls[0] as [Rows])[0]), batch });
      assert.deepEqual(nested(run), plain[0]);
    }
  });
});

test("several arguments reach a module that takes one tuple, as BentoML's runner gives them", async () => {
  const { args, plain, runner } = theirs.pair;
  const { data } = await kit.once("pair", ...input(args[0]), ...input(args[1], 1));
  assert.deepEqual(data, plain);
  assert.ok(difference(data, runner) < ROUNDING);
});

test("answers are computed every time: a module that asks for something else gives what it gets", async () => {
  const { folder } = theirs.asking;
  await kit.withModel({ adapter: "flax", folder, signatures: { __call__: signature([0, 0]) } }, async (session) => {
    const answers: Nested[] = [];
    for (const batch of [true, false, true]) {
      answers.push(nested(await session.run({ method: "__call__", inputs: floats([[0, 10]]), batch })));
    }
    const first = (answers[0] as Rows)[0]?.[0] as number;
    assert.deepEqual(
      answers,
      [0, 1, 2].map((more) => [[first + more, first + more + 10]]),
    );
  });
});

test("a module of the project's own src loads with --python-path, and not without", async () => {
  const { source, rows, plain, runner } = theirs.layers;
  const missing = await kit.failure(["layers", ...input(rows)]);
  assert.deepEqual([missing.code, /\blayers\b/.test(missing.message)], ["python.module", true]);
  const { data } = await kit.once("layers", ...input(rows), "--python-path", source);
  assert.deepEqual(data, plain);
  assert.ok(difference(data, runner) < ROUNDING);
});

test("an NNX model that was exported to SafeTensors by Flax's own recipe answers as nnx.jit does", async () => {
  const { names, ofExample } = theirs.exported;
  assert.deepEqual(names, ["hidden.bias", "hidden.kernel", "last.bias", "last.kernel"]);
  assert.deepEqual((await kit.once("exported", ...input(ONES))).data, ofExample);
});

test("an NNX CNN answers as nnx.jit does, alone and batched", async () => {
  const { folder, rows, plain } = theirs.nnx_cnn;
  await kit.withModel({ adapter: "flax", folder, signatures: { __call__: signature([0, 0]) } }, async (session) => {
    await session.load();
    const images = (value: unknown): Record<string, InputValue> => ({
      0: { kind: "text", text: JSON.stringify(value), form: { numbers: "float32" } },
    });
    const direct = nested(await session.run({ method: "__call__", inputs: images(rows), batch: false }));
    assert.deepEqual(direct, plain);
    const each = await Promise.all(
      rows.map((row) => session.run({ method: "__call__", inputs: images([row]), batch: true })),
    );
    assert.ok(difference(each.flatMap(nested) as Nested, plain) < ROUNDING);
  });
});

/** Numbers of rows that the module was compiled for, in order. */
function traces(printed: string): number[] {
  return [...printed.matchAll(/traced \((\d+), \d+\)/g)].map(([, rows]) => Number(rows));
}

/** What a process prints takes another way than its answers. */
async function heard(check: () => boolean): Promise<void> {
  for (let tries = 0; !check() && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(check());
}
