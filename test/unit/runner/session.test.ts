import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { silentLog } from "../../../src/base/log";
import type { Tensor } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import type { RunnerSession } from "../../../src/runner/client";
import type { LoadRequest, RunResult, SessionState } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { isTensor } from "../../../src/runner/values";
import { call, floats, type Kit, keptLog, linear, openKit, slow } from "./runnerKit";

let kit: Kit;
before(async () => {
  kit = await openKit();
});
after(() => kit.dispose());

async function withSession(
  request: LoadRequest,
  use: (session: RunnerSession) => Promise<void>,
  log = silentLog,
): Promise<void> {
  const session = openSession(request, { entry: kit.entry, log });
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

function values({ outputs }: RunResult): Record<string, unknown> {
  return Object.fromEntries(outputs.map(({ name, tensor }) => [name, tensor && tensorToNested(tensor)]));
}

test("a session loads a model, runs it and says how long each part took", async () => {
  await withSession(kit.model("linear", linear), async (session) => {
    const states: SessionState[] = [session.state];
    session.onDidChangeState((state) => states.push(state));
    const loaded = await session.load();
    assert.deepEqual({ ...loaded, loadMs: 0 }, { loadMs: 0, device: "cpu", unfetchable: { run: [] } });
    assert.equal(await session.load(), loaded);
    const result = await session.run(call({ x: [[1, 2]] }));
    assert.deepEqual(values(result), { y: [[6, 9, 12]] });
    assert.equal(result.timing.loadMs, loaded.loadMs);
    for (const ms of Object.values(result.timing)) assert.ok(ms >= 0 && Number.isFinite(ms));
    assert.deepEqual(states, ["starting", "ready", "busy", "ready"]);
  });
});

test("a run loads the model when nobody did, and requests sent together share batches", async () => {
  await withSession(kit.model("together", linear), async (session) => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => session.run(call({ x: [[i, 1]] }))));
    assert.deepEqual(
      results.map(values),
      results.map((_, i) => ({ y: [[3, i + 4, 2 * i + 5]] })),
    );
    assert.ok(results.every(({ batchRequests, batchSize }) => batchRequests === batchSize && batchSize <= 8));
    const sizes = new Map(results.map(({ batchId, batchSize }) => [batchId, batchSize]));
    assert.equal(
      [...sizes.values()].reduce((a, b) => a + b, 0),
      20,
    );
    assert.ok(sizes.size < 20);
    const alone = await Promise.all([1, 2].map((i) => session.run(call({ x: [[i, 1]] }, { batch: false }))));
    assert.deepEqual(
      alone.map(({ batchRequests }) => batchRequests),
      [1, 1],
    );
    const big = await session.run(call({ x: Array.from({ length: 19 }, (_, i) => [i, 0]) }));
    assert.deepEqual(values(big), { y: Array.from({ length: 19 }, (_, i) => [0, i, 2 * i]) });
  });
});

test("inputs come as tensor, text, JSON or generated values, and give the same answer", async () => {
  await withSession(kit.model("forms", linear), async (session) => {
    const forms = [
      { kind: "tensor", tensor: floats([[0, 0]]) },
      { kind: "text", text: "[[0, -0]]" },
      { kind: "generate", pattern: "zeros", seed: 1, dims: [1] },
    ] as const;
    for (const x of forms) {
      assert.deepEqual(values(await session.run({ method: "run", batch: true, inputs: { x } })), { y: [[0, 0, 0]] });
    }
  });
});

test("wrong calls are refused before the run, without a process where that is possible", async () => {
  const request = kit.model("refusals", linear);
  const idle = openSession(request, { entry: "/nowhere/runner.cjs", log: silentLog });
  assert.deepEqual(
    (await idle.validate("run", call({ x: [[1]] }).inputs)).map(({ error }) => error.message),
    ["`x`: expected float32 [N, 2], got [1, 1]."],
  );
  await assert.rejects(idle.validate("predict", {}), { code: "method.notFound" });
  await withSession(request, async (session) => {
    await assert.rejects(session.run(call({ z: 1 })), { code: "input.name" });
    await assert.rejects(session.run(call({ x: [[1, 2, 3]] })), {
      code: "input.shape",
      message: "`x`: expected float32 [N, 2], got [1, 3].",
    });
    await assert.rejects(session.run(call({ x: [["a", 2]] })), { code: "input.dtype" });
    await assert.rejects(session.run({ ...call({}), inputs: { x: { kind: "text", text: "[[1" } } }), {
      code: "format.corrupt",
    });
    await assert.rejects(session.run({ ...call({ x: [[1, 2]] }), method: "predict" }), { code: "method.notFound" });
    assert.deepEqual(values(await session.run(call({ x: [[1, 0]] }))), { y: [[0, 1, 2]] });
  });
});

test("a model that the runtime refuses fails to load, with its words, for every caller", async () => {
  const request = kit.model("broken", { ...linear, nodes: [{ op: "NoSuchOperator", inputs: ["x"], outputs: ["y"] }] });
  await withSession(request, async (session) => {
    await assert.rejects(
      session.load(),
      (error) =>
        error instanceof ModelbenchError && error.code === "run.failed" && /NoSuchOperator/.test(error.message),
    );
    assert.equal(session.state, "failed");
    await assert.rejects(session.load(), { code: "run.failed" });
    await assert.rejects(session.run(call({ x: [[1, 2]] })), { code: "run.failed" });
  });
});

test("a device that is not there is refused by name", async () => {
  await withSession(kit.model("device", linear, { device: "cuda:0" }), async (session) => {
    await assert.rejects(session.load(), { code: "device.unavailable" });
  });
});

test("an output that is no tensor is listed with the cure and left out, the others answer", async () => {
  const request = kit.model("sequence", {
    ...linear,
    nodes: [...linear.nodes, { op: "SequenceConstruct", inputs: ["y", "y"], outputs: ["list"] }],
    outputs: [{ name: "list", dtype: "float32", shape: ["N", 3], isSequence: true }, ...linear.outputs],
  });
  await withSession(request, async (session) => {
    const { unfetchable } = await session.load();
    assert.deepEqual(
      unfetchable["run"]?.map(({ name }) => name),
      ["list"],
    );
    assert.match(unfetchable["run"]?.[0]?.reason ?? "", /zipmap/);
    const results = await Promise.all([1, 2].map((i) => session.run(call({ x: [[i, 0]] }))));
    assert.deepEqual(results.map(values), [{ y: [[0, 1, 2]] }, { y: [[0, 2, 4]] }]);
    assert.equal(results[0]?.unfetchable[0]?.name, "list");
  });
});

test("only the bad request of a batch fails", async () => {
  const gather = kit.model("gather", {
    inputs: [{ name: "i", dtype: "int64", shape: ["N"] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N"] }],
    nodes: [{ op: "Gather", inputs: ["table", "i"], outputs: ["y"] }],
    constants: { table: { shape: [3], values: Float32Array.from([10, 20, 30]) } },
  });
  await withSession(gather, async (session) => {
    await session.load();
    const answers = await Promise.allSettled([0, 9, 2, 1].map((i) => session.run(call({ i: [i] }))));
    assert.deepEqual(
      answers.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled"],
    );
    const rejected = answers[1] as PromiseRejectedResult;
    assert.equal((rejected.reason as ModelbenchError).code, "run.failed");
    assert.match((rejected.reason as Error).message, /out of.*bounds/i);
    assert.deepEqual(values((answers[3] as PromiseFulfilledResult<RunResult>).value), { y: [20] });
  });
});

test("a model whose output does not follow the batch answers each request right", async () => {
  const mean = kit.model("mean", {
    inputs: [{ name: "x", dtype: "float32", shape: ["N", 2] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["M", 2] }],
    nodes: [{ op: "ReduceMean", inputs: ["x"], outputs: ["y"], attributes: { axes: [0], keepdims: 1 } }],
  });
  await withSession(mean, async (session) => {
    await session.load();
    const results = await Promise.all(
      [1, 2, 3].map((i) =>
        session.run(
          call({
            x: [
              [i, i],
              [i, i],
            ],
          }),
        ),
      ),
    );
    assert.deepEqual(
      results.map(values),
      [1, 2, 3].map((i) => ({ y: [[i, i]] })),
    );
  });
});

test("outputs come in the model's order, also where their names are whole numbers", async () => {
  const x = { name: "x", dtype: "float32", shape: ["N"] } as const;
  const outputs = ["2", "b", "10", "1"].map((name) => ({ ...x, name }));
  const nodes = outputs.map(({ name }) => ({ op: "Neg", inputs: ["x"], outputs: [name] }));
  await withSession(kit.model("numbered", { inputs: [x], outputs, nodes }), async (session) => {
    const ran = await session.run(call({ x: [1] }));
    assert.deepEqual(
      ran.outputs.map(({ name }) => name),
      ["2", "b", "10", "1"],
    );
  });
});

test("large outputs stay in the runner and are read by rows", async () => {
  await withSession(kit.model("kept", linear), async (session) => {
    const x = Array.from({ length: 50 }, (_, i) => [i, 0]);
    const result = await session.run(call({ x }, { keepAboveBytes: 100 }));
    const output = result.outputs[0];
    assert.deepEqual([output?.shape, output?.tensor], [[50, 3], undefined]);
    const rows = await session.readResult(output?.kept ?? "", 48, 10);
    assert.deepEqual(isTensor(rows) && tensorToNested(rows), [
      [0, 48, 96],
      [0, 49, 98],
    ]);
    await assert.rejects(session.readResult("1-1", 0, 1), { code: "result.gone" });
    const small = await session.run(call({ x: [[1, 0]] }, { keepAboveBytes: 100 }));
    assert.deepEqual(values(small), { y: [[0, 1, 2]] });
  });
});

test("64 MiB go there and come back unchanged", async () => {
  const echo = kit.model("echo", {
    inputs: [{ name: "x", dtype: "uint8", shape: ["N"] }],
    outputs: [{ name: "y", dtype: "uint8", shape: ["N"] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
  await withSession(echo, async (session) => {
    const data = Buffer.alloc(2 ** 26);
    for (let i = 0; i < data.length; i += 4096) data.writeUInt32LE(i, i);
    const tensor: Tensor = { dtype: "uint8", shape: [data.length], data };
    const { outputs } = await session.run({ method: "run", batch: false, inputs: { x: { kind: "tensor", tensor } } });
    assert.ok(data.equals(outputs[0]?.tensor?.data ?? Buffer.alloc(0)));
    assert.equal(data.byteLength, 2 ** 26);
  });
});

test("aborting before, during and after a load ends with `cancelled` or with the model", async () => {
  const request = kit.model("aborted", linear);
  await withSession(request, async (session) => {
    await assert.rejects(session.load(AbortSignal.abort()), { code: "cancelled" });
    const controller = new AbortController();
    const loading = session.load(controller.signal);
    controller.abort();
    await assert.rejects(loading, { code: "cancelled" });
    assert.equal(session.state, "stopped");
    await assert.rejects(session.run(call({ x: [[1, 2]] })), { code: "cancelled" });
  });
});

test("stopping ends what is pending with `cancelled`, once, and the process with it", async () => {
  await withSession(kit.model("stopped", slow, { batchable: false }), async (session) => {
    await session.load();
    const runs = [1, 2].map(() => session.run(call({ n: 1_000_000 })));
    const ended = Promise.allSettled(runs);
    await session.ping();
    await session.stop();
    for (const end of await ended) assert.equal((end as PromiseRejectedResult).reason.code, "cancelled");
    assert.equal(session.state, "stopped");
    await assert.rejects(session.ping(), { code: "cancelled" });
  });
});

test("what is printed in the runner goes to the log and corrupts nothing", async () => {
  const log = keptLog();
  const print = 'setInterval(() => { console.log("a print \\u0000{"); console.error("a complaint"); }, 1);';
  const entry = kit.script("noisyRunner.cjs", `${print} require("./runner.cjs");`);
  const session = openSession(kit.model("noisy", linear), { entry, log });
  try {
    for (let i = 0; i < 20; i += 1)
      assert.deepEqual(values(await session.run(call({ x: [[i, 0]] }))), { y: [[0, i, 2 * i]] });
  } finally {
    await session.stop();
  }
  assert.ok(log.lines.includes("noisy: a print \u0000{") && log.lines.includes("noisy: a complaint"));
});

test("a runner that answers nonsense ends alone, and the caller hears why", async () => {
  const entry = kit.script(
    "nonsense.cjs",
    'require("node:fs").writeSync(4, "this is no frame"); setInterval(() => {}, 1000);',
  );
  const session = openSession(kit.model("nonsense", linear), { entry, log: silentLog });
  await assert.rejects(session.load(), {
    code: "worker.died",
    message: /nonsense: .*sent what cannot be read \(.*header/,
  });
  assert.equal(session.state, "failed");
});

test("a runner of another version is refused as such", async () => {
  const frame = 'const t = JSON.stringify({ v: 99, kind: "event", id: 0, op: "x", bodies: [] });';
  const write =
    'const b = Buffer.alloc(4 + t.length); b.writeUInt32LE(t.length); b.write(t, 4); require("node:fs").writeSync(4, b);';
  const entry = kit.script("newer.cjs", `${frame} ${write} setInterval(() => {}, 1000);`);
  const session = openSession(kit.model("newer", linear), { entry, log: silentLog });
  await assert.rejects(session.load(), { code: "protocol.version" });
});

test("a listener that throws costs nobody an answer", async () => {
  await withSession(kit.model("listener", linear), async (session) => {
    session.onDidChangeState(() => assert.fail("a listener's fault"));
    assert.deepEqual(values(await session.run(call({ x: [[1, 0]] }))), { y: [[0, 1, 2]] });
  });
});

test("stopping a run that waits for the load leaves the load going", async () => {
  await withSession(kit.model("impatient", linear), async (session) => {
    const controller = new AbortController();
    const run = session.run(call({ x: [[1, 0]] }), controller.signal);
    controller.abort();
    await assert.rejects(run, { code: "cancelled" });
    assert.equal((await session.load()).device, "cpu");
    assert.equal(session.state, "ready");
  });
});

test("stopping to wait for a load costs no run that waits for it too", async () => {
  await withSession(kit.model("shared_load", linear), async (session) => {
    const controller = new AbortController();
    const load = session.load(controller.signal);
    const run = session.run(call({ x: [[1, 0]] }));
    controller.abort();
    await assert.rejects(load, { code: "cancelled" });
    assert.deepEqual(values(await run), { y: [[0, 1, 2]] });
  });
});

test("a runner that cannot be started says so", async () => {
  const session = openSession(kit.model("nowhere", linear), { entry: "/nowhere/runner.cjs", log: silentLog });
  await assert.rejects(session.load(), (error: Error) =>
    /^nowhere: .*ended with code 1.*Cannot find module/.test(error.message),
  );
});
