import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { npyObjects } from "../../../src/formats/npyObjects";
import { scanObjectArray } from "../../../src/formats/pickle/objectArray";
import { readPickleFile } from "../../../src/formats/pickle/pickleFile";
import { openNpyFile } from "../../../src/frameworks/npyFile";
import { npyFile } from "../../fixtures/npyFile";
import { zipOf } from "../../fixtures/torchZip";

/** `os.getpid()` under protocol 4. */
const PAYLOAD = Buffer.from("\x80\x04\x8c\x02os\x8c\x06getpid\x93)R.", "latin1");

const npy = (header: string, data: Uint8Array = PAYLOAD, version = 1): Buffer => npyFile(header, data, version);

function header(descr: string, shape = "()"): string {
  return `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
}

/** Types that numpy takes for objects, however they are called. */
const TYPES = [
  "'|O'",
  "'object'",
  "'object_'",
  "'Object0'",
  "' O'",
  "'i4,O'",
  "'(2,)O'",
  "('O', (2,))",
  "[('b', 'object')]",
  "[('b', 'f4,O')]",
  "[('a', 'f4'), ('b', [('c', 'O', (2,))])]",
  "['xO']",
];

/** Headers that numpy reads and we do not. */
const HEADERS = [
  header("'|' 'O'"),
  header("u'|O'"),
  header("'''|O'''"),
  header("'|O'", "(True,)"),
  header("'|O'", "(0x1,)"),
  header("'|O'", "(-1,)"),
  "{'descr': '|O', #\n 'fortran_order': False, 'shape': ()}",
];

test("an array whose type may be objects carries the verdict of its pickle, as NPY and in an archive", () => {
  for (const descr of TYPES) {
    const bytes = npy(header(descr));
    const { pickle } = openNpyFile("a.npy", "a.npy", () => ({ ...bufferReader(bytes), close() {} }));
    assert.equal(pickle?.verdict, "dangerous", descr);
    for (const deflate of [false, true]) {
      const { facts } = readPickleFile(bufferReader(zipOf([["a/x", bytes]], { deflate })));
      assert.equal(facts.verdict, "dangerous", descr);
    }
  }
});

test("a header that numpy may understand better is scanned from where numpy would unpickle", () => {
  for (const text of HEADERS) {
    assert.equal(scanObjectArray(bufferReader(npy(text)))?.verdict, "dangerous", text);
    for (const deflate of [false, true]) {
      const { facts } = readPickleFile(bufferReader(zipOf([["a/x", npy(text)]], { deflate })));
      assert.equal(facts.verdict, "dangerous", text);
    }
  }
});

test("a header of more than a megabyte hides nothing, in an archive that is compressed neither", () => {
  const bytes = npy(`${header("'|O'")}${" ".repeat(2 ** 20)}`, PAYLOAD, 2);
  for (const deflate of [false, true]) {
    assert.equal(readPickleFile(bufferReader(zipOf([["a/x", bytes]], { deflate }))).facts.verdict, "dangerous");
  }
});

test("a header that is cut short is a finding, and what is there is searched", () => {
  const bytes = npy(header("'|O'"));
  bytes.writeUInt16LE(60_000, 8);
  const { facts } = readPickleFile(bufferReader(zipOf([["a/x", bytes]])));
  assert.equal(facts.verdict, "dangerous");
  const empty = readPickleFile(bufferReader(zipOf([["a/x", Buffer.from("\x93NUMPY\x01", "latin1")]]))).facts;
  assert.equal(empty.verdict, "malformed", JSON.stringify(empty));
});

test("plain types are no pickle, whatever their fields are called", () => {
  const plain = [
    "'<f4'",
    "'|b1'",
    "'<U5'",
    "'|S0'",
    "'<M8[25s]'",
    "'d'",
    "'float32'",
    "('<f4', (2, 3))",
    "[('O', '<f4'), (('t', 'object'), '|V3', (2,))]",
  ];
  for (const descr of plain) assert.equal(npyObjects(bufferReader(npy(header(descr)))), undefined, descr);
  const { facts } = readPickleFile(bufferReader(zipOf([["a/x", npy(header("'<f4'", "(9999,)"))]])));
  assert.deepEqual([facts.streams, facts.findings.filter(({ kind }) => kind === "object-array")], [0, []]);
});
