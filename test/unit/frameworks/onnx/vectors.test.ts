import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { type InspectDocument, inspectFile } from "../../../../src/frameworks/inspect";
import { openOnnxFile } from "../../../../src/frameworks/onnx/describe";
import { createOnnxSession } from "../../../../src/frameworks/onnx/run";
import { draftFromFiles } from "../../../../src/frameworks/saveTable";
import { corpus } from "../../../fixtures/hostileCorpus";

/** An input or output as the manifest has it; a sequence has only a type. */
interface ManifestValue {
  readonly name: string;
  readonly type: string;
  readonly dtype?: string;
  readonly shape?: readonly unknown[] | null;
}

interface Vector {
  readonly file: string;
  readonly kind: string;
  readonly ok: boolean;
  readonly want?: string;
  readonly info: {
    readonly ir_version: number;
    readonly opset: Readonly<Record<string, number>>;
    readonly producer: readonly string[];
    readonly metadata_props: readonly (readonly [string, string])[];
    readonly inputs: readonly ManifestValue[];
    readonly outputs: readonly ManifestValue[];
    readonly graph: string;
    readonly ops: Readonly<Record<string, number>>;
    readonly functions: readonly string[];
    readonly initializers: Readonly<
      Record<
        string,
        { dtype: string; shape: readonly number[]; external: { location: string } | null; sha256?: string }
      >
    >;
  };
}

const FOLDER = join("test", "fixtures", "vectors");
const { vectors } = JSON.parse(readFileSync(join(FOLDER, "manifest.json"), "utf8")) as { vectors: Vector[] };
const models = vectors.filter(({ kind }) => kind === "onnx");

/** Names of types in the manifest, as the documents have them. */
const DTYPES: Readonly<Record<string, string>> = { FLOAT: "float32", DOUBLE: "float64" };

function described({ name, type, dtype, shape }: ManifestValue): unknown {
  if (dtype === undefined) return { name, type: type.replace("_type", ""), dtype: null, shape: null };
  return { name, type, dtype: DTYPES[dtype] ?? dtype.toLowerCase(), shape };
}

test("every healthy vector has the manifest's inputs, outputs, opsets, metadata, weights and digests", () => {
  const healthy = models.filter(({ ok }) => ok);
  assert.ok(healthy.length >= 17);
  for (const { file, info } of healthy) {
    const found = inspectFile(join(FOLDER, file), { digest: true });
    const run = found.signatures["run"];
    assert.deepEqual([found.onnx?.irVersion, found.onnx?.opsets], [info.ir_version, info.opset], file);
    assert.equal(found.onnx?.producer, info.producer.join(" "), file);
    assert.deepEqual([...found.metadata], [...new Map(info.metadata_props)], file);
    assert.deepEqual(run?.inputs, info.inputs.map(described), file);
    assert.deepEqual(run?.outputs, info.outputs.map(described), file);
    const known = (name: string, sha256: string | undefined): string | undefined =>
      info.initializers[name]?.sha256 == null ? undefined : sha256;
    const tensors = found.tensors.map((one) => {
      return [one.name, one.nativeDtype, one.shape, basename(one.file), known(one.name, one.sha256)];
    });
    const wanted = Object.entries(info.initializers).map(([name, { dtype, shape, external, sha256 }]) => {
      return [name, dtype, shape, external?.location ?? basename(file), sha256 ?? undefined];
    });
    assert.deepEqual(tensors, wanted, file);
    assert.deepEqual(
      found.warnings.map(({ code }) => code),
      file.includes("dup_metadata") ? ["onnx.metadata.duplicate"] : [],
      file,
    );
  }
});

test("every healthy vector has the manifest's nodes and functions in its graph", () => {
  for (const { file, info } of models.filter(({ ok }) => ok)) {
    const content = openOnnxFile(join(FOLDER, file));
    const graphs = content.graphs?.();
    const [main] = graphs?.index.graphs ?? [];
    const ops = new Map<string, number>();
    for (const op of main?.nodeOps ?? []) {
      // The manifest writes `domain:Op`.
      const name = graphs?.index.ops[op]?.replace(/\.(?=[^.]*$)/, ":") ?? "";
      ops.set(name, (ops.get(name) ?? 0) + 1);
    }
    assert.deepEqual(Object.fromEntries(ops), info.ops, file);
    assert.equal(main?.name, info.graph, file);
    const functions = (graphs?.index.graphs ?? []).filter(({ kind }) => kind === "function");
    assert.deepEqual(
      functions.map(({ name }) => name),
      info.functions,
      file,
    );
    content.close();
  }
});

test("every bad vector is refused with its place, or is listed without the weights that are out of reach", async () => {
  const bad = models.filter(({ ok }) => !ok);
  assert.ok(bad.length >= 17);
  for (const { file, want } of bad) {
    const path = join(FOLDER, file);
    if (want === "reject") refused(() => inspectFile(path), file);
    else await unreachable(path);
  }
});

test("every hostile ONNX file is read or refused as its case says", async () => {
  for (const { file = "", verdict, reasons } of corpus().filter(({ group }) => group === "onnx")) {
    const path = join("test", "fixtures", "hostile", file);
    if (verdict === "reject") refused(() => inspectFile(path), file);
    else if (verdict === "accept") assert.equal(inspectFile(path, { digest: true }).format, "onnx", file);
    else if (reasons.includes("external-data")) await unreachable(path);
    else readOrRefused(path);
  }
  assert.equal(Object.keys(Object.prototype).length, 0);
});

function refused(act: () => unknown, file: string): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof ModelbenchError, file);
    assert.ok(["format.mismatch", "budget.exceeded"].includes(error.code), `${file}: ${error.code}`);
    assert.match(error.message, new RegExp(basename(file).replaceAll(".", "\\.")), file);
    return true;
  });
}

/** Listed with everything but what is outside; nothing that needs it goes on. */
async function unreachable(path: string): Promise<void> {
  const found: InspectDocument = inspectFile(path, { digest: true });
  const codes = new Set(found.warnings.map(({ code }) => code.split(".").slice(0, 2).join(".")));
  assert.deepEqual([...codes], ["onnx.external"], path);
  const without = found.tensors.filter(({ sha256 }) => sha256 === undefined);
  assert.ok(without.length > 0 && without.length === found.warnings.length, path);
  const content = openOnnxFile(path);
  const outside = content.tensors.findIndex(({ name }) => name === without[0]?.name);
  assert.throws(() => content.data(outside), { code: "tensor.unreadable" }, path);
  content.close();
  assert.throws(() => draftFromFiles([path]), { code: "onnx.external" }, path);
  await assert.rejects(createOnnxSession(path, "cpu"), { code: "onnx.external" }, path);
}

function readOrRefused(path: string): void {
  try {
    inspectFile(path, { digest: true });
  } catch (error) {
    assert.ok(error instanceof ModelbenchError && error.code !== "internal", `${path}: ${String(error)}`);
  }
}
