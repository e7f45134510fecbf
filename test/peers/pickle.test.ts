import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bufferReader } from "../../src/formats/bufferReader";
import { Cursor } from "../../src/formats/pickle/cursor";
import { PickleMachine } from "../../src/formats/pickle/machine";
import { Notes } from "../../src/formats/pickle/notes";
import { nameInPython3 } from "../../src/formats/pickle/pythonTwoNames";
import { ScanLimits } from "../../src/formats/pickle/scanLimits";
import { StreamBreak } from "../../src/formats/pickle/streamBreak";
import { readStreams } from "../../src/formats/pickle/streams";
import { digestOf } from "../../src/formats/tensorData";
import { openContent } from "../../src/frameworks/contentFormats";
import { mutantsOf, writeBatch } from "./mutants";
import { askPython } from "./python";

const MUTANTS = process.env["MODELBENCH_SOAK"] === "1" ? 50_000 : 4_000;
/** Mutants that one Python process judges. */
const BATCH = 4_000;

interface Written {
  readonly file: string;
  readonly imports: readonly (readonly [module: string, name: string])[];
  readonly verdict?: string;
}

const folder = mkdtempSync(join(tmpdir(), "mb-pickle-"));
let written: readonly Written[] = [];
before(() => {
  written = askPython("picklePeer.py", "make", folder) as Written[];
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("what real libraries pickle is followed to its end, and every name is found in order", () => {
  for (const { file, imports, verdict } of written) {
    const bytes = readFileSync(file);
    const notes = new Notes();
    const streams = readStreams(bufferReader(bytes), { start: 0, end: bytes.length }, notes);
    const facts = notes.facts();
    const found = streams.flatMap((stream) => stream.imports.map(({ module, name }) => [module, name]));
    assert.deepEqual(found, imports, file);
    assert.equal(streams.at(-1)?.end, bytes.length, file);
    assert.deepEqual(
      facts.findings.filter(({ verdict: worst }) => worst === "malformed"),
      [],
      file,
    );
    if (verdict) assert.equal(facts.verdict, verdict, file);
    else assert.notEqual(facts.verdict, "code", file);
  }
});

test("arrays below keys that are no texts are named as Python writes the keys", () => {
  const { content } = openContent(join(folder, "keyed-4.pkl"));
  const names = content.tensors.map(({ path }) => path.join("."));
  assert.deepEqual(names, ["(1, 'a')", "(2,)", "None", "False", String(2n ** 70n)]);
  content.close();
});

test("the arrays of joblib files are those that joblib loads, compressed or not", () => {
  const cases = askPython("picklePeer.py", "joblib", folder) as {
    file: string;
    opaque: boolean;
    arrays: { dtype: string; shape: number[]; sha256: string }[];
  }[];
  for (const { file, opaque, arrays } of cases) {
    const { format, content } = openContent(file);
    assert.equal(format, "pickle", file);
    assert.equal(content.pickle?.verdict, opaque ? "opaque" : "unknown", `${file} ${JSON.stringify(content.pickle)}`);
    if (!opaque) {
      const listed = content.tensors.flatMap((tensor, i) => (tensor.path[0] === "arrays" ? [{ tensor, i }] : []));
      assert.deepEqual(
        listed.map(({ tensor: { dtype, shape }, i }) => ({ dtype, shape, sha256: digestOf(content.data(i)) })),
        arrays,
        file,
      );
    }
    content.close();
  }
});

interface Judged {
  readonly imports: readonly (readonly [string, string])[];
  readonly exts: readonly number[];
  readonly persids: number;
  readonly calls: readonly (readonly [string, string])[];
  readonly error: string | null;
  /** As the Python class maps them; `null` where it stopped. */
  readonly mapped: readonly (readonly [string, string])[] | null;
  /** Where `pickletools` found the end, or why not. */
  readonly end: number | string;
}

/** What Python refuses and we do not, by its words. */
const THEY_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/^MemoryError|exceeds system's maximum/, "a memo index or a length that Python reserves memory for"],
  [/'ascii' codec can't decode/, "texts of Python 2 load with another encoding than the one by default"],
  [/STACK_GLOBAL requires str/, "a name that a call would make is reported as computed"],
  [
    /argument list must be a tuple|NEWOBJ(_EX)? (expected an arg tuple|args argument must be)|argument after \* must be/,
    "arguments that foreign code makes",
  ],
  [
    /NEWOBJ(_EX)? (class )?argument must be|keywords must be strings|expected a kwargs dict/,
    "what a registry or foreign code gives as a class",
  ],
  [
    /bytearray|an integer is required|'\w+' object cannot be interpreted as an integer|byte must be in range/,
    "what is put into a bytearray",
  ],
  [
    /memoryview|released|cannot hash writable|object is not callable|unhashable type: 'memoryview'|buffer|'bytes' object does not support item assignment/i,
    "memory that the loading program gives",
  ],
  [/string indices|index out of range|out of bounds/, "indices into memory and bytearrays"],
  [/RecursionError/, "values nested deeper than Python compares"],
];

const NONE = { whole: 0, broken: 0 };

/** What our machine makes of the first pickle, when it reads it from a file as the peer does. */
interface Mine {
  readonly notes: Notes;
  /** `null` where it breaks. */
  readonly end: number | null;
  /** Why Python would stop, or raise an error. */
  readonly refused: string | undefined;
  readonly calls: readonly string[];
}

function ours(bytes: Buffer): Mine {
  const calls: string[] = [];
  class Recording extends Notes {
    override called(...call: Parameters<Notes["called"]>): void {
      calls.push(labelOf(call[0]));
      super.called(...call);
    }
  }
  const notes = new Recording();
  const limits = new ScanLimits();
  const cursor = new Cursor(bufferReader(bytes), { start: 0, end: bytes.length }, limits, true);
  let broken: string | undefined;
  try {
    new PickleMachine(cursor, limits, notes, { joblib: false }).run();
  } catch (error) {
    assert.ok(error instanceof StreamBreak, String(error));
    broken = error.message;
  }
  const flaw = notes.facts().findings.find(({ verdict }) => verdict === "malformed")?.message;
  return { notes, end: broken === undefined ? cursor.at : null, refused: broken ?? flaw, calls };
}

function labelOf(value: Parameters<Notes["called"]>[0]): string {
  let at = value;
  while (at !== null && typeof at === "object" && at.kind === "call") at = at.callee;
  if (at === null || typeof at !== "object") return ".a constant";
  if (at.kind === "import") return canonical([at.module ?? "", at.name ?? ""]).join(".");
  return at.kind === "extension" ? ".an extension" : ".a persistent object";
}

/** Python's own follower tells names before they are mapped, so both sides are mapped here. */
function canonical([module, name]: readonly [string, string]): readonly [string, string] {
  return nameInPython3(module, name);
}

test(`${MUTANTS} mutants import, call and break as Python's own unpickler says`, () => {
  const healthy = written.map(({ file }) => readFileSync(file)).filter(({ length }) => length < 4_000);
  const vectors = JSON.parse(readFileSync("test/fixtures/vectors/manifest.json", "utf8")) as {
    vectors: { file: string; kind: string }[];
  };
  const more = vectors.vectors.filter(({ file, kind }) => kind === "pickle" && /\.pkl$/.test(file));
  healthy.push(
    ...more
      .map(({ file }) => readFileSync(join("test/fixtures/vectors", file)))
      .filter((b) => b.length > 0 && b.length < 4_000),
  );
  const disagreements: string[] = [];
  const counts = { ...NONE };
  const mutants = mutantsOf(healthy, MUTANTS);
  for (let first = 0; first < mutants.length; first += BATCH) {
    const batch = mutants.slice(first, first + BATCH);
    const file = join(folder, "batch");
    writeBatch(file, batch);
    const answers = askPython("picklePeer.py", "judge", file) as Judged[];
    batch.forEach((bytes, index) => {
      const difference = compare(bytes, answers[index] as Judged, counts);
      if (difference) disagreements.push(`${difference.slice(0, 400)} ${bytes.toString("hex").slice(0, 400)}`);
    });
  }
  assert.deepEqual(disagreements.slice(0, 10), [], `${disagreements.length} of ${MUTANTS}`);
  assert.ok(counts.whole > MUTANTS / 20 && counts.broken > MUTANTS / 20, JSON.stringify(counts));
});

function compare(bytes: Buffer, peer: Judged, counts: typeof NONE): string | undefined {
  const { notes, end, refused, calls } = ours(bytes);
  const imports = notes.uses.map(({ module, name }) => canonical([module ?? "", name ?? ""]).join(" "));
  const theirs = peer.imports.map((one) => canonical(one).join(" "));
  // What Python imports before it breaks, we have seen too: nothing that runs is missed.
  if (theirs.some((one, i) => one !== imports[i])) return `imports ${imports} and ${theirs}; ${peer.error}`;
  if (peer.calls.some((one, i) => canonical(one).join(".") !== calls[i])) return `calls ${calls} and ${peer.calls}`;
  if (peer.error !== null) {
    counts.broken += 1;
    const error = peer.error;
    if (refused !== undefined || THEY_REFUSE.some(([words]) => words.test(error))) return undefined;
    return `only they refuse: ${error}`;
  }
  counts.whole += 1;
  if (refused !== undefined) return `only we refuse: ${refused}`;
  if (imports.length !== theirs.length || calls.length !== peer.calls.length) return `more: ${imports} ${calls}`;
  // A code that was looked up is remembered.
  if (String([...new Set(notes.codes)]) !== String(peer.exts)) return `codes ${notes.codes} and ${peer.exts}`;
  if (notes.persistentIds !== peer.persids) return `ids ${notes.persistentIds} and ${peer.persids}`;
  // Disassembly knows no frames.
  if (typeof peer.end === "number" && peer.mapped && peer.end !== end) return `ends at ${end} and ${peer.end}`;
  const exact = notes.uses.map(({ module, name }) => `${module} ${name}`);
  if (peer.mapped && String(peer.mapped.map((one) => one.join(" "))) !== String(exact)) {
    return `mapped ${exact} and ${peer.mapped}`;
  }
  return undefined;
}
