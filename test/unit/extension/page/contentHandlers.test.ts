import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import type { JobKey, JobOptions, Jobs } from "../../../../src/base/ports";
import { type ContentHandlersPort, contentHandlers } from "../../../../src/extension/page/contentHandlers";
import type { StoredTensor } from "../../../../src/frameworks/content";
import type { ContentSummary } from "../../../../src/frameworks/contentJobs";
import { MAX_MESSAGE_BYTES } from "../../../../webview/protocol/messages";
import { requestSchemas } from "../../../../webview/protocol/schemas";
import { fitsMessage } from "../../../../webview/protocol/size";
import { t } from "../fakes";

const signal = new AbortController().signal;
const view = { rowAxis: 0, columnAxis: 1, fixed: [0, 0] };

describe("the answers about content", () => {
  test("a content that cannot be read is an answer with its failure; a cancel is none", async () => {
    const failing = (code: "format.corrupt" | "cancelled") =>
      handlersOf(() => Promise.reject(new ModelbenchError(code, "It ends at byte 9.", { remedy: "Copy it again." })));
    const { broken, tensorCount } = await failing("format.corrupt")["content/describe"]({}, signal);
    assert.deepEqual([broken?.code, broken?.remedy, tensorCount], ["format.corrupt", "Copy it again.", 0]);
    await assert.rejects(failing("cancelled")["content/describe"]({}, signal), { code: "cancelled" });
  });

  test("long texts and lists are cut, and the answer says how much is left out", async () => {
    const long = "x".repeat(100_000);
    const summary: ContentSummary = {
      format: "safetensors",
      stamp: "1",
      bytes: 1,
      files: Array.from({ length: 900 }, () => ({ path: long, bytes: 1, format: "safetensors" as const })),
      tensorCount: 1,
      parameters: 1,
      tensorBytes: 4,
      metadata: Array.from({ length: 300 }, (_, i) => [`${i}`, long] as const),
      warnings: [],
    };
    const answer = await handlersOf(async () => summary)["content/describe"]({}, signal);
    assert.equal(fitsMessage(answer, MAX_MESSAGE_BYTES), true);
    assert.deepEqual([answer.files.length, answer.moreFiles, answer.moreMetadata], [500, 400, 100]);
    assert.ok(requestSchemas["content/describe"][1].safeParse(answer).success);
  });

  test("a part of the list fits one message, however long its names are", async () => {
    const tensor: StoredTensor = {
      file: "f",
      name: "n".repeat(4_000),
      path: ["n".repeat(4_000)],
      kind: "ndarray",
      dtype: "float32",
      nativeDtype: "F32",
      shape: [1],
      offset: 0,
      bytes: 4,
    };
    const part = new Array<StoredTensor>(2_000).fill(tensor);
    const answer = await handlersOf(async () => part)["content/tensors"]({ start: 0, count: 2_000 }, signal);
    assert.ok(answer.tensors.length >= 100 && answer.tensors.length < 2_000);
    assert.equal(fitsMessage(answer, MAX_MESSAGE_BYTES), true);
  });

  test("what a heat map has no number for is null", async () => {
    const map = { rows: 1, columns: 3, means: Float32Array.of(1, Number.NaN, Infinity), sampled: false };
    const answer = await handlersOf(async () => map)["tensor/heatMap"](
      { tensor: 0, view, rows: 1, columns: 3 },
      signal,
    );
    assert.deepEqual(answer.means, [1, null, null]);
  });

  test("a save asks for a name that a file may have, and a dismissed dialog writes nothing", async () => {
    const asked: string[] = [];
    const ran: string[] = [];
    const port: Partial<ContentHandlersPort> = {
      ui: {
        copy: async () => undefined,
        pickTarget: async ({ fileName }) => {
          asked.push(fileName);
          return undefined;
        },
      },
    };
    const handlers = handlersOf(async (job) => {
      ran.push(job);
      return [{ name: "../../etc/params/Dense_0/kernel:0" }];
    }, port);
    const answer = await handlers["tensor/export"]({ tensor: 0, view: null, range: null, format: "npy" }, signal);
    assert.deepEqual([answer.saved, asked], [null, ["etc_params_Dense_0_kernel_0.npy"]]);
    assert.deepEqual(ran, ["content.tensors"]);
  });

  test("an export of what has another tensor under that number meanwhile is refused, and writes nothing", async () => {
    const ran: string[] = [];
    let name = "bias";
    const pickTarget = async () => {
      name = "kernel";
      return "/tmp/bias.npy";
    };
    const handlers = handlersOf(
      async (job) => {
        ran.push(job);
        return [{ name, nativeDtype: "F32", shape: [2] }];
      },
      { ui: { copy: async () => undefined, pickTarget } },
    );
    await assert.rejects(handlers["tensor/export"]({ tensor: 0, view: null, range: null, format: "npy" }, signal), {
      code: "result.gone",
      message: /^bias is not what it was/,
    });
    assert.deepEqual(ran, ["content.tensors", "content.tensors"]);
  });

  test("progress reaches the page, and no more often than it can be read", async () => {
    const told: number[] = [];
    const port: Partial<ContentHandlersPort> = { progress: ({ doneBytes }) => void told.push(doneBytes) };
    const handlers = handlersOf(async (_, options) => {
      for (let done = 1; done <= 1_000; done++) options?.onProgress?.({ doneBytes: done, totalBytes: 1_000 });
      return { count: 1, min: 0, max: 0, mean: 0, std: 0, nan: 0, inf: 0, zeros: 1, histogram: null };
    }, port);
    await handlers["tensor/statistics"]({ tensor: 3 }, signal);
    assert.equal(told[0], 1);
    assert.ok(told.length < 20, String(told.length));
  });
});

test("the schemas refuse slices and heat maps that are too large, and numbers that are no places", () => {
  const slice = (rowCount: number, columnCount: number): boolean => {
    const range = { rowStart: 0, rowCount, columnStart: 0, columnCount };
    return requestSchemas["tensor/slice"][0].safeParse({ tensor: 0, view, range }).success;
  };
  assert.deepEqual([slice(128, 128), slice(128, 129), slice(-1, 4), slice(0.5, 4)], [true, false, false, false]);
  const heat = (rows: number): boolean =>
    requestSchemas["tensor/heatMap"][0].safeParse({ tensor: 0, view, rows, columns: 1 }).success;
  assert.deepEqual([heat(256), heat(257), heat(0)], [true, false, false]);
  const list = requestSchemas["content/tensors"][0].safeParse({ start: 0, count: 2_001 });
  assert.equal(list.success, false);
});

function handlersOf(
  answer: (job: string, options?: JobOptions) => Promise<unknown>,
  port: Partial<ContentHandlersPort> = {},
): ReturnType<typeof contentHandlers> {
  const jobs: Jobs = {
    run: <Input, Result>(job: JobKey<Input, Result>, _: Input, options?: JobOptions) =>
      answer(job.name, options) as Promise<Result>,
  };
  return contentHandlers({
    ref: () => ({ kind: "file", path: "/models/a.safetensors" }),
    jobs,
    ui: { copy: async () => undefined, pickTarget: async () => undefined },
    t,
    progress: () => undefined,
    ...port,
  });
}
