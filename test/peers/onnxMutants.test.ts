import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { ModelbenchError } from "../../src/base/errors";
import { bufferReader } from "../../src/formats/bufferReader";
import { elementCount } from "../../src/formats/elements";
import { onnxDataType } from "../../src/formats/onnx/dataTypes";
import type { OnnxGraphs } from "../../src/formats/onnx/graphTable";
import { readPair } from "../../src/formats/onnx/tensorHeader";
import type { ValueSpec } from "../../src/formats/tensor";
import { openOnnxFile } from "../../src/frameworks/onnx/describe";
import { mutantsOf, writeBatch } from "./mutants";
import { askPython } from "./python";

const MUTANTS = process.env["MODELBENCH_SOAK"] === "1" ? 50_000 : 5_000;
/** Mutants that one Python process judges. */
const BATCH = 5_000;

const folder = mkdtempSync(join(tmpdir(), "mb-onnx-mutants-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Healthy models to start from: every accepted vector that holds its weights, and random graphs. */
function healthy(): Buffer[] {
  const { vectors } = JSON.parse(readFileSync("test/fixtures/vectors/manifest.json", "utf8")) as {
    vectors: { file: string; kind: string; ok: boolean }[];
  };
  const files = vectors.filter(({ file, kind, ok }) => kind === "onnx" && ok && !file.includes("external"));
  const random = askPython("onnxGraphPeer.py", "graphs", folder, "1000", "10") as { path: string }[];
  const paths = [...files.map(({ file }) => join("test/fixtures/vectors", file)), ...random.map(({ path }) => path)];
  return paths.map((path) => readFileSync(path));
}

/** What is compared of a model that both read. */
type Facts = Readonly<Record<string, unknown>>;
type Verdict = { readonly facts: Facts } | { readonly refused: string };

/** What we make of a file: its facts, when every weight that is listed can be read too. */
function ours(bytes: Buffer): Verdict {
  try {
    const content = openOnnxFile("m.onnx", "m.onnx", () => ({ ...bufferReader(bytes, "m.onnx"), close() {} }));
    for (const [index, { shape }] of content.tensors.entries()) readValues(content, index, elementCount(shape));
    if (content.graphs) readTables(content.graphs());
    return { facts: factsOf(content) };
  } catch (error) {
    assert.ok(
      error instanceof ModelbenchError && error.code !== "internal",
      `${bytes.toString("hex")}: ${String(error)}`,
    );
    return { refused: error.message };
  }
}

/** Every row of every table, every attribute, and every pair of metadata. */
function readTables(graphs: OnnxGraphs): void {
  const walker = graphs.walker();
  for (const entry of graphs.index.graphs) {
    for (let value = 0; value < entry.values.count; value++) walker.value(entry, value);
    for (let node = 0; node < entry.nodes.count; node++) {
      walker.node(entry, node);
      const proto = walker.nodeMessage(entry, node);
      while (proto.next()) {
        if (proto.field === 5) proto.message((attribute) => walker.attribute(attribute));
        else if (proto.field === 9) readPair(proto, () => {});
      }
    }
  }
}

/** What is listed as unreadable (sparse, external, of an unknown type) needs no values. */
function readValues(content: ReturnType<typeof openOnnxFile>, index: number, count: number): void {
  try {
    content.data(index).read(0, count);
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.code !== "tensor.unreadable") throw error;
  }
}

function factsOf({ onnx, signatures, tensors, metadata }: ReturnType<typeof openOnnxFile>): Facts {
  const specs = (values: readonly ValueSpec[]): unknown[] =>
    values.map(({ name, type, dtype, shape }) => [name, type, dtype, shape]);
  return {
    irVersion: String(onnx?.irVersion),
    opsets: Object.fromEntries(
      Object.entries(onnx?.opsets ?? {}).map(([domain, version]) => [domain, String(version)]),
    ),
    ops: onnx?.ops,
    inputs: specs(signatures?.["run"]?.inputs ?? []),
    outputs: specs(signatures?.["run"]?.outputs ?? []),
    tensors: tensors.map(({ name, nativeDtype, shape }) => [name, nativeDtype, shape]),
    metadata: Object.fromEntries(metadata),
  };
}

/** The peer's facts in our words. */
function theirs(verdict: Verdict): Verdict {
  if ("refused" in verdict) return verdict;
  const { inputs, outputs, tensors, ...rest } = verdict.facts as Record<
    string,
    [string, string | number, unknown, unknown][]
  >;
  const named = (rows: typeof inputs): unknown[] =>
    (rows ?? []).map(([name, type, dtype, shape]) => [
      name,
      type,
      typeof dtype === "number" ? onnxDataType(dtype).dtype : null,
      shape,
    ]);
  const stored = (tensors ?? []).map(([name, type, dims]) => [name, onnxDataType(Number(type)).nativeDtype, dims]);
  return { facts: { ...rest, inputs: named(inputs), outputs: named(outputs), tensors: stored } };
}

const UNREAD = "a part that nothing here reads is skipped with its damage";
/** Where we differ on purpose: what we refuse and the package reads, by the words of our refusal. */
const WE_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/has field \d+ with wire type \d, \d was expected/, "protobuf keeps a known field of another wire type as unknown"],
  [/has a field of wire type 3, which is not read/, "protobuf skips groups, which no version of ONNX has"],
  [/of the impossible shape \[.*-1\b/, "numpy takes a size of -1 for whatever is left"],
  [
    /of \d+ bytes, but \d+ are there|too many values|needs \d+ values that are not there/,
    "what lies behind 4- and 2-bit values is ignored",
  ],
];
/** What the package refuses and we read, by its words. */
const THEY_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/The element type in the input tensor is UNDEFINED/, "a tensor without a type is listed; its values are unreadable"],
  [
    /^tensor of a subgraph: ValueError cannot reshape/,
    "values of a subgraph's initializers are not read, only counted",
  ],
  [/tensor.*: KeyError \d+/, "so is one of a type that does not exist"],
  [
    /tensor.*: ValueError (maximum supported dimension|array is too big)/,
    "numpy ends at 64 dimensions and at 2^63 bytes, also where a size of 0 leaves nothing of them",
  ],
  [/tensor.*: UnicodeDecodeError/, "texts that are not UTF-8 are shown with U+FFFD"],
  [/^wire[^:]*\.(quantization_annotation|device_configurations|indices|training_info|configuration|segment)\b/, UNREAD],
  [/^wire[^:]*\.functions\.(opset_import|attribute_proto|metadata_props)\b/, UNREAD],
  [/^wire[^:]*\.attribute\.(tp|type_protos)\b/, UNREAD],
  [/^wire[^:]*\.(graph|g|graphs|initializer|values|t|tensors)\.metadata_props\b/, UNREAD],
  [/^wire[^:]*\.\w+_data: packed/, "values in a field that the tensor's type does not use are skipped"],
  [/^wire[^:]*\.floats: packed/, "of a list whose bytes end inside a value the whole ones are shown"],
];

test(`${MUTANTS} mutants are read or refused as by the onnx package, with the same facts`, () => {
  const models = healthy();
  const mutants = mutantsOf(models, MUTANTS);
  const disagreements: string[] = [];
  const counts = { read: 0, refused: 0 };
  for (let first = 0; first < mutants.length; first += BATCH) {
    const batch = mutants.slice(first, first + BATCH);
    const answers = judged(batch);
    batch.forEach((bytes, index) => {
      const mine = ours(bytes);
      const peer = theirs(answers[index] ?? { refused: "no answer" });
      counts["facts" in mine ? "read" : "refused"] += 1;
      const difference = differenceOf(mine, peer);
      if (difference) disagreements.push(`mutant ${first + index}: ${difference.slice(0, 500)}`);
    });
  }
  assert.deepEqual(disagreements.slice(0, 20), [], `${disagreements.length} of ${MUTANTS}`);
  assert.ok(counts.read > MUTANTS / 20 && counts.refused > MUTANTS / 20, JSON.stringify(counts));
});

function judged(batch: readonly Buffer[]): Verdict[] {
  const file = join(folder, "batch");
  writeBatch(file, batch);
  return askPython("onnxGraphPeer.py", "judge", file) as Verdict[];
}

function differenceOf(mine: Verdict, peer: Verdict): string | undefined {
  if ("refused" in mine && "refused" in peer) return undefined;
  if ("refused" in mine)
    return WE_REFUSE.some(([words]) => words.test(mine.refused)) ? undefined : `we refuse: ${mine.refused}`;
  if ("refused" in peer) {
    return THEY_REFUSE.some(([words]) => words.test(peer.refused)) ? undefined : `they refuse: ${peer.refused}`;
  }
  const [a, b] = [mine.facts, peer.facts].map((facts) => JSON.parse(JSON.stringify(facts)) as Facts) as [Facts, Facts];
  const differing = Object.keys(b).find((key) => !isDeepStrictEqual(a[key], b[key]));
  if (differing === undefined) return undefined;
  return `${differing} differ: ${JSON.stringify(a[differing])} and ${JSON.stringify(b[differing])}`;
}
