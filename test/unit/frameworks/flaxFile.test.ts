import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { FileContent } from "../../../src/frameworks/content";
import { openContent } from "../../../src/frameworks/contentFormats";
import { inspectModel } from "../../../src/frameworks/inspect";
import { ModelStore } from "../../../src/store/modelStore";
import { failsWith } from "../../fixtures/failures";
import { flaxVectors, leavesOfContent, vectorPath, withPlainPath } from "../../fixtures/flaxVectors";
import { corpus } from "../../fixtures/hostileCorpus";
import { draftOf } from "../store/storeKit";

const folder = mkdtempSync(join(tmpdir(), "mb-flax-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function opened<T>(path: string, look: (content: FileContent, format: string) => T): T {
  const { format, content } = openContent(path);
  try {
    return look(content, format);
  } finally {
    content.close();
  }
}

/** What a file is found to be: its leaves, or the code of the failure. */
function verdictOf(path: string): { readonly accepted: boolean; readonly warnings: readonly string[] } {
  try {
    return opened(path, (content) => ({ accepted: true, warnings: content.warnings.map(({ code }) => code) }));
  } catch (error) {
    assert.ok(error instanceof ModelbenchError, String(error));
    assert.ok(["format.mismatch", "budget.exceeded"].includes(error.code), `${error.code}: ${error.message}`);
    assert.ok(error.message.includes(path), error.message);
    return { accepted: false, warnings: [] };
  }
}

const good = flaxVectors().filter(({ ok }) => ok);

test("every leaf of every file that flax wrote has the path, kind, type, shape and values that flax restores", () => {
  const vectors = good.filter(({ leaves }) => leaves !== undefined);
  assert.ok(vectors.length >= 24);
  for (const { file, leaves = [] } of vectors) {
    opened(vectorPath(file), (content, format) => {
      assert.equal(format, "flax-msgpack");
      assert.deepEqual(leavesOfContent(content), leaves.map(withPlainPath), file);
      assert.deepEqual(content.warnings, [], file);
    });
  }
});

test("every bad file is refused, shown as opaque, warned of or accepted as the manifest says", () => {
  const vectors = flaxVectors().filter(({ want }) => want !== undefined);
  assert.ok(vectors.length >= 42);
  for (const { file, want, flax } of vectors) {
    const { accepted, warnings } = verdictOf(vectorPath(file));
    assert.equal(accepted, want !== "reject", file);
    assert.deepEqual(warnings, want === "warn" ? ["flax.duplicateKey"] : [], file);
    if (want !== "warn" && want !== "accept" && want !== "opaque") continue;
    opened(vectorPath(file), (content) => {
      const leaves = leavesOfContent(content);
      if (want === "opaque")
        assert.deepEqual(
          leaves.map(({ kind }) => kind),
          ["ext"],
          file,
        );
      else assert.deepEqual(leaves, flax?.value?.map(withPlainPath), file);
    });
  }
});

test("every hostile file gets its verdict, and the prototype of objects stays as it is", () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const cases = corpus().filter(({ group }) => group === "msgpack");
  assert.ok(cases.length >= 22);
  for (const { id, file = "", verdict } of cases) {
    const start = performance.now();
    const { accepted } = verdictOf(join("test/fixtures/hostile", file));
    if (verdict !== "either") assert.equal(accepted, verdict === "accept", id);
    assert.ok(performance.now() - start < 2000, id);
  }
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
});

test("hostile files that may be accepted are shown as flax restores them", () => {
  const at = (name: string): string => join("test/fixtures/hostile/msgpack", `${name}.msgpack`);
  const paths = (name: string): unknown => opened(at(name), ({ tensors }) => tensors.map(({ path }) => path));
  assert.deepEqual(paths("int-key"), [[1]]);
  assert.ok(JSON.stringify(paths("proto")).includes("__proto__"));
  assert.deepEqual(paths("root-scalar"), [[]]);
  assert.deepEqual(verdictOf(at("dup-key")), { accepted: true, warnings: ["flax.duplicateKey"] });
  opened(at("ext-unknown"), ({ tensors }) =>
    assert.deepEqual(
      tensors.map(({ kind }) => kind),
      ["ext"],
    ),
  );
});

test("a leaf that is no array has a value but no elements", () => {
  opened(vectorPath("flax/scalars.msgpack"), (content) => {
    const index = content.tensors.findIndex(({ name }) => name === "i64");
    assert.equal(content.leaf?.(index), -(2n ** 63n));
    assert.match(failsWith("tensor.unreadable", () => content.data(index)).message, /i64 is of type int/);
  });
});

test("what is not MessagePack is named for what it is", () => {
  const path = join(folder, "page.msgpack");
  writeFileSync(path, "<!doctype html><title>Sign in</title>");
  assert.match(failsWith("format.mismatch", () => openContent(path)).message, /a web page/);
});

test("a MessagePack document without the extension is found by its content, anything near it is not", () => {
  const write = (name: string, bytes: readonly number[]): string => {
    const path = join(folder, name);
    writeFileSync(path, Uint8Array.from(bytes));
    return path;
  };
  const document = [0x81, 0xa1, 0x61, 0x05];
  opened(write("checkpoint_100", document), ({ tensors }, format) => {
    assert.equal(format, "msgpack");
    assert.deepEqual(
      tensors.map(({ name, kind }) => [name, kind]),
      [["a", "int"]],
    );
  });
  const others = {
    empty: [0x80],
    trailing: [...document, 0],
    text: [0x68, 0x69],
    integerKey: [0x81, 1, 5],
    list: [0x91, 1],
  };
  for (const [name, bytes] of Object.entries(others)) {
    opened(write(name, bytes), (_, format) => assert.equal(format, "unknown", name));
  }
});

test("a saved flax model shows its state dict and the methods of model.yaml; without its weights it is broken", async () => {
  const store = new ModelStore(join(folder, "store"));
  const from = join(process.cwd(), vectorPath("flax/linen_variables.msgpack"));
  const signatures = { __call__: { batchable: true, batchDim: [0, 0] as const } };
  const draft = draftOf("net", "v1", { module: "bentoml.flax", signatures });
  const {
    format,
    tensors,
    signatures: methods,
  } = inspectModel(await store.save(draft, [{ from, to: "saved_model.msgpack" }]));
  assert.equal(format, "flax-msgpack");
  assert.deepEqual([...new Set(tensors.map(({ path }) => path[0]))].sort(), ["batch_stats", "params"]);
  assert.deepEqual(methods, {
    __call__: { inputs: [], outputs: [], batchable: true, batchDim: [0, 0], source: "model.yaml" },
  });
  const bare = await store.save({ ...draft, version: "v2" }, [{ from, to: "weights.msgpack" }]);
  assert.match(failsWith("model.broken", () => inspectModel(bare)).message, /no file saved_model\.msgpack/);
});
