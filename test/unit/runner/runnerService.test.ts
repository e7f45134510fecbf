import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { WireError } from "../../../src/base/errors";
import type { MethodSignature, Tensor, ValueSpec } from "../../../src/formats/tensor";
import type { Frame } from "../../../src/runner/frames";
import type { OpenModel } from "../../../src/runner/ortHost";
import type { LoadRequest } from "../../../src/runner/protocol";
import { batchPlan, RunnerService } from "../../../src/runner/runnerService";
import type { NamedOutputs, NamedValues } from "../../../src/runner/values";

interface Bench {
  readonly service: RunnerService;
  readonly sent: Frame[];
  /** Ends the oldest run; its outputs are its inputs. */
  readonly finish: () => void;
  ends: number;
}

function spec(shape: ValueSpec["shape"], name = "x"): ValueSpec {
  return { name, type: "tensor", dtype: "uint8", shape };
}

function signature(input: ValueSpec["shape"], output: ValueSpec["shape"] = input, batchable = true): MethodSignature {
  return { inputs: [spec(input)], outputs: [spec(output, "y")], batchable, batchDim: [0, 0], source: "onnx" };
}

const request: LoadRequest = {
  label: "model",
  adapter: "onnx",
  file: "/model.onnx",
  device: "cpu",
  signatures: { run: signature(["N", 1]) },
  batching: { enabled: true, maxBatchSize: 4 },
};

function bench(): Bench {
  const runs: { inputs: NamedValues; resolve: (ran: { outputs: NamedOutputs; runMs: number }) => void }[] = [];
  const sent: Frame[] = [];
  const model: OpenModel = {
    loaded: { loadMs: 5, device: "cpu", unfetchable: {} },
    run: (_method, inputs) => new Promise((resolve) => runs.push({ inputs, resolve })),
  };
  const end = () => {
    made.ends += 1;
  };
  const service = new RunnerService({ send: (frame) => sent.push(frame), open: async () => model, end, now: () => 0 });
  const finish = () => {
    const run = runs.shift();
    run?.resolve({ outputs: new Map(Object.entries(run.inputs)), runMs: 0 });
  };
  const made: Bench = { service, sent, finish, ends: 0 };
  return made;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}

function ask(service: RunnerService, id: number, op: string, data?: unknown, bodies: readonly Tensor[] = []): void {
  service.handle({ kind: "request", id, op, data, bodies });
}

function askRun(service: RunnerService, id: number): void {
  const body: Tensor = { dtype: "uint8", shape: [1, 1], data: Uint8Array.of(id) };
  ask(service, id, "run", { method: "run", batch: true, inputs: [["x", { kind: "tensor", body: 0 }]] }, [body]);
}

async function loaded(): Promise<Bench> {
  const made = bench();
  ask(made.service, 1, "load", request);
  await settle();
  return made;
}

function errors(sent: readonly Frame[]): (WireError["code"] | undefined)[] {
  return sent.filter(({ kind }) => kind === "error").map(({ error }) => error?.code);
}

test("every request gets one answer of its id; unknown and malformed ones get an error", async () => {
  const { service, sent } = await loaded();
  ask(service, 2, "ping");
  ask(service, 3, "dance");
  ask(service, 4, "load", request);
  const malformed = [
    undefined,
    7,
    {},
    { method: "run", inputs: {} },
    { method: "run", inputs: [["x"]] },
    { method: "run", inputs: [["x", { kind: "tensor", body: 3 }]] },
    { method: "run", inputs: [["x", { kind: "file" }]] },
    { method: "run", inputs: [["x", { kind: "generate", pattern: "toString", seed: 1, dims: [] }]] },
  ];
  for (const [i, data] of malformed.entries()) ask(service, 5 + i, "run", data);
  ask(service, 13, "read", { kept: 1 });
  ask(service, 14, "run", { method: "no", inputs: [] });
  await settle();
  assert.deepEqual(
    sent.map(({ id }) => id).sort((a, b) => a - b),
    Array.from({ length: 14 }, (_, i) => i + 1),
  );
  assert.deepEqual(errors(sent), [...new Array(11).fill("protocol.invalid"), "method.notFound"]);
});

test("a run before the model is refused", async () => {
  const { service, sent } = bench();
  askRun(service, 1);
  await settle();
  assert.deepEqual(errors(sent), ["protocol.invalid"]);
});

test("more than ten thousand waiting requests are refused, not kept", async () => {
  const { service, sent } = await loaded();
  askRun(service, 2);
  await settle();
  for (let id = 3; id < 10_005; id += 1) askRun(service, id);
  await settle();
  assert.deepEqual(errors(sent), ["run.busy", "run.busy"]);
});

test("a run that nobody waits for any more ends the process after half a second, unless it ends first", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const made = await loaded();
    askRun(made.service, 2);
    askRun(made.service, 3);
    await settle();
    made.service.handle({ kind: "cancel", id: 2, op: "cancel", bodies: [] });
    mock.timers.tick(10_000);
    assert.equal(made.ends, 0, "another request still waits for the same run");
    made.service.handle({ kind: "cancel", id: 3, op: "cancel", bodies: [] });
    mock.timers.tick(499);
    made.finish();
    await settle();
    mock.timers.tick(10_000);
    assert.deepEqual([made.ends, errors(made.sent)], [0, ["cancelled", "cancelled"]]);
    askRun(made.service, 4);
    await settle();
    made.service.handle({ kind: "cancel", id: 4, op: "cancel", bodies: [] });
    mock.timers.tick(500);
    assert.equal(made.ends, 1);
  } finally {
    mock.timers.reset();
  }
});

test("cancelling what is not there does nothing", async () => {
  const { service, sent } = await loaded();
  service.handle({ kind: "cancel", id: 99, op: "cancel", bodies: [] });
  service.handle({ kind: "cancel", id: 1, op: "cancel", bodies: [] });
  await settle();
  assert.equal(sent.length, 1);
});

test("requests are joined only where every batch axis is dynamic", () => {
  const axes = { inAxis: 0, outAxis: 0 };
  assert.deepEqual(batchPlan(signature(["N", 1])), axes);
  assert.deepEqual(batchPlan(signature([null], null)), axes);
  assert.deepEqual(batchPlan({ ...signature([2, "N"], ["N"]), batchDim: [1, 0] }), { inAxis: 1, outAxis: 0 });
  assert.equal(batchPlan(signature(["N"], ["N"], false)), undefined);
  assert.equal(batchPlan(signature([1, 784], ["N"])), undefined);
  assert.equal(batchPlan(signature(["N"], [1])), undefined);
  assert.equal(batchPlan(signature(["N"], [])), undefined);
  assert.equal(batchPlan({ ...signature(["N"]), inputs: [spec(["N"]), spec([], "t")] }), undefined);
  assert.equal(batchPlan({ ...signature(["N"]), inputs: [] }), undefined);
  const sequence: ValueSpec = { name: "s", type: "sequence", dtype: null, shape: null };
  assert.deepEqual(batchPlan({ ...signature(["N"]), outputs: [sequence, spec(["N"])] }), axes);
});

test("requests are not joined where the batch length also shapes another axis: each would see the others", () => {
  assert.equal(batchPlan(signature(["N", 3], ["N", "N"])), undefined);
  assert.equal(batchPlan(signature(["N", "N"], ["N", 3])), undefined);
  const pairs = { inputs: [spec(["N", 3]), spec(["M", 3], "t")], batchable: true, source: "onnx" } as const;
  assert.equal(batchPlan({ ...pairs, outputs: [spec(["N", "M"], "y")], batchDim: [0, 0] }), undefined);
  assert.deepEqual(batchPlan({ ...pairs, outputs: [spec(["N", 3], "y")], batchDim: [0, 0] }), {
    inAxis: 0,
    outAxis: 0,
  });
  assert.equal(batchPlan({ ...signature(["L", "N"]), batchDim: [1, 0] }), undefined);
});
