import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { type VectorLeaf, vectorPath } from "../../fixtures/flaxVectors";
import { FileInspector, type Inspected, type InspectedDocument } from "../../fixtures/inspectedFile";

/** One entry of the manifest, whatever its kind. */
interface Vector {
  readonly file: string;
  readonly kind: string;
  readonly ok?: boolean;
  readonly want?: string;
  readonly leaves?: readonly VectorLeaf[];
  readonly flax?: { readonly value?: readonly VectorLeaf[] };
  readonly lib?: {
    readonly value?: {
      readonly metadata: Readonly<Record<string, string>> | null;
      readonly tensors: Readonly<
        Record<string, { readonly dtype: string; readonly shape: number[]; readonly sha256: string }>
      >;
    };
  };
  readonly verdict?: string;
  readonly accept?: readonly string[];
  readonly streams?: readonly { readonly globals: readonly (readonly [string, string])[] }[];
  readonly info?: {
    readonly ir_version: number;
    readonly opset: Readonly<Record<string, number>>;
    readonly ops: Readonly<Record<string, number>>;
    readonly metadata_props: readonly (readonly [string, string])[];
    readonly inputs: readonly VectorValue[];
    readonly outputs: readonly VectorValue[];
    readonly initializers: Readonly<
      Record<string, { readonly dtype: string; readonly shape: number[]; readonly sha256?: string | null }>
    >;
  };
}

interface VectorValue {
  readonly name: string;
  readonly type: string;
  readonly dtype?: string;
  readonly shape?: readonly (number | string | null)[] | null;
}

/** Time that every look may take, of the processor. */
const SECONDS = 5;

const { vectors } = JSON.parse(readFileSync(vectorPath("manifest.json"), "utf8")) as { vectors: readonly Vector[] };

let kit: CliKit;
let inspector: FileInspector;
before(async () => {
  kit = await openCliKit();
  inspector = new FileInspector(kit);
});
after(() => kit.dispose());

const found = ({ document, error }: Inspected): InspectedDocument => {
  assert.ok(document, JSON.stringify(error));
  return document;
};

function refused({ document, error }: Inspected): void {
  assert.ok(error, `it was read as ${document?.format}`);
  assert.match(error.code, /^(format\.(mismatch|corrupt)|budget\.exceeded|file\.access)$/, error.message);
}

const CHECKS: Readonly<Record<string, (vector: Vector, answer: Inspected) => void>> = {
  flax({ want, leaves, flax }, answer) {
    if (want === "reject") return refused(answer);
    const { format, tensors, warnings } = found(answer);
    assert.equal(format, "flax-msgpack");
    if (want === "opaque")
      return assert.deepEqual(
        tensors.map(({ kind }) => kind),
        ["ext"],
      );
    assert.equal(warnings.length > 0, want === "warn");
    assert.deepEqual(
      sorted(
        tensors.map(({ path, kind, dtype, shape, sha256 }) =>
          dtype === null ? { path, kind } : { path, kind, dtype, shape, sha256 },
        ),
      ),
      sorted((leaves ?? flax?.value ?? []).map(expectedLeaf)),
    );
  },
  safetensors({ want, lib }, answer) {
    if (want === "reject") return refused(answer);
    const { format, tensors, metadata, warnings } = found(answer);
    assert.equal(format, "safetensors");
    assert.equal(warnings.length > 0, want === "warn", JSON.stringify(warnings));
    const expected = Object.entries(lib?.value?.tensors ?? {});
    assert.deepEqual(
      sorted(tensors.map(({ name, nativeDtype, shape, sha256 }) => ({ name, nativeDtype, shape, sha256 }))),
      sorted(expected.map(([name, { dtype, shape, sha256 }]) => ({ name, nativeDtype: dtype, shape, sha256 }))),
    );
    assert.deepEqual(metadata, lib?.value?.metadata ?? {});
  },
  "safetensors-index"({ want }, answer) {
    if (want === "reject") return refused(answer);
    const { format, tensors } = found(answer);
    assert.equal(format, "safetensors");
    assert.ok(tensors.length > 0 && tensors.every(({ sha256 }) => sha256 !== undefined));
  },
  pickle({ verdict = "", accept = [], streams = [] }, answer) {
    const { pickle } = found(answer);
    assert.ok([verdict, ...accept].includes(pickle?.verdict ?? ""), `${pickle?.verdict}, not ${verdict}`);
    // What cannot be looked into is called so, and nothing in it is listed.
    if (verdict === "opaque") return;
    const imports = new Set(pickle?.imports.map(({ module, name }) => `${module} ${name}`));
    for (const [module, name] of streams.flatMap(({ globals }) => globals)) {
      assert.ok(imports.has(`${module} ${name}`), `${module}.${name} is not among ${[...imports].join(", ")}`);
    }
  },
  onnx({ want, ok, info }, answer) {
    if (want === "reject") return refused(answer);
    const document = found(answer);
    assert.equal(document.format, "onnx");
    if (ok === false) {
      assert.ok(document.tensors.some(({ sha256 }) => sha256 === undefined));
      return assert.ok(document.warnings.some(({ code }) => code.startsWith("onnx.external.")));
    }
    assert.ok(info);
    assertOnnx(document, info);
  },
  "onnx-external-data": (_, answer) => assert.equal(found(answer).format, "unknown"),
  from_state_dict: (_, answer) => assert.equal(found(answer).format, "unknown"),
};

function assertOnnx(
  { signatures, tensors, metadata, onnx }: InspectedDocument,
  info: NonNullable<Vector["info"]>,
): void {
  assert.deepEqual([onnx?.irVersion, onnx?.opsets], [info.ir_version, info.opset]);
  // The manifest counts the outermost graph, we those of subgraphs and functions too.
  for (const [op, count] of Object.entries(info.ops)) {
    assert.ok((onnx?.ops[op.replace(":", ".")] ?? 0) >= count, `${op}: ${JSON.stringify(onnx?.ops)}`);
  }
  assert.deepEqual(metadata, Object.fromEntries(info.metadata_props));
  const { inputs, outputs } = signatures["run"] ?? {};
  assert.deepEqual(inputs, info.inputs.map(expectedValue));
  assert.deepEqual(outputs, info.outputs.map(expectedValue));
  const digests = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const [name, { dtype, shape, sha256 }] of Object.entries(info.initializers)) {
    const tensor = digests.get(name);
    assert.deepEqual([tensor?.nativeDtype, tensor?.shape], [dtype, shape], name);
    if (sha256) assert.equal(tensor?.sha256, sha256, name);
  }
  assert.ok(tensors.length >= Object.keys(info.initializers).length);
}

const DTYPES: Readonly<Record<string, string>> = { FLOAT: "float32", DOUBLE: "float64" };

function expectedValue({ name, type, dtype, shape }: VectorValue): unknown {
  if (type !== "tensor") return { name, type: type.replace("_type", ""), dtype: null, shape: null };
  return { name, type, dtype: DTYPES[dtype ?? ""] ?? dtype?.toLowerCase(), shape: shape ?? null };
}

function expectedLeaf({ path, kind, dtype, shape, sha256 }: VectorLeaf): unknown {
  const steps = path.map((step) => (typeof step === "object" ? step.index : step));
  return dtype === undefined ? { path: steps, kind } : { path: steps, kind, dtype, shape, sha256 };
}

function sorted(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}

suite("modelbench inspect answers as the manifest says of", { concurrency: 2 }, () => {
  for (const vector of vectors) {
    test(vector.file, async () => {
      const answer = await inspector.inspect(resolve(vectorPath(join(vector.file))), SECONDS);
      const check = CHECKS[vector.kind];
      assert.ok(check, `nobody knows what to expect of ${vector.kind}`);
      check(vector, answer);
    });
  }
});
