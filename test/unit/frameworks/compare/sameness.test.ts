import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import { writeNpy } from "../../../../src/formats/npy";
import { type NewSafetensor, safetensorsFile } from "../../../../src/formats/safetensors/writer";
import { memoryData } from "../../../../src/formats/tensorData";
import { compare } from "../../../../src/frameworks/compare/compare";
import type { Comparison } from "../../../../src/frameworks/compare/comparison";
import { ModelStore } from "../../../../src/store/modelStore";
import { type RawZipMember, zipOf } from "../../../fixtures/rawZip";
import { draftOf, tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

let made = 0;
function write(extension: string, bytes: Uint8Array): string {
  const path = join(folder, `file-${made++}.${extension}`);
  writeFileSync(path, bytes);
  return path;
}

const compareFiles = (a: string, b: string): Promise<Comparison> =>
  compare({ kind: "file", path: a }, { kind: "file", path: b }, {}, {});

/** Whether they are the same, then each difference by its name. */
const told = ({ same, tensors, facts }: Comparison): unknown[] => [
  same,
  ...tensors.map(({ changes, a, b }) => `${changes.join("+")} ${a?.name ?? "-"} ${b?.name ?? "-"}`),
  ...facts.map(({ part, key, change }) => `${change} ${part} ${key}`),
];

const FLOATS = { dtype: "float32", shape: [2], data: new Uint8Array(Float32Array.of(1, 2).buffer) } as const;
const array: FlaxTree = { kind: "ndarray", ...FLOATS };
const map = (members: Readonly<Record<string, FlaxTree>>): FlaxTree => new Map(Object.entries(members));
const tree = (root: FlaxTree): string => write("msgpack", msgpackSerialize(root));
const numbered = (...items: FlaxTree[]): FlaxTree => new Map(items.map((item, i) => [i, item]));

suite("two trees are the same", () => {
  test("only with the same levels, though a flat file writes them with dots", async () => {
    const [deep, dotted] = [tree(map({ a: map({ b: array }) })), tree(map({ "a.b": array }))];
    assert.deepEqual(told(await compareFiles(deep, dotted)), [false, "moved a/b a.b"]);
    assert.deepEqual(told(await compareFiles(dotted, deep)), [false, "moved a.b a/b"]);
    const leaves = [tree(map({ a: map({ b: 5n }) })), tree(map({ "a.b": 5n }))] as const;
    assert.deepEqual(told(await compareFiles(...leaves)), [false, "removed a/b -", "added - a.b"]);
    assert.deepEqual(told(await compareFiles(tree(map({ "": array })), tree(array))), [false, "moved  "]);
    const tensors: NewSafetensor[] = [{ name: "a.b", data: memoryData(FLOATS) }];
    const flat = write("safetensors", Buffer.concat([...safetensorsFile({ metadata: new Map(), tensors })]));
    assert.deepEqual(told(await compareFiles(deep, flat)), [false, "changed format format"]);
  });

  test("only with lists where the other has lists, not integer keys", async () => {
    const list = map({ a: [1n, array] });
    const keys = map({ a: numbered(1n, array) });
    assert.deepEqual(told(await compareFiles(tree(list), tree(keys))), [false, "moved a/0 a/0", "moved a/1 a/1"]);
    assert.deepEqual(told(await compareFiles(tree([[1n]]), tree([numbered(1n)]))), [false, "moved 0/0 0/0"]);
    assert.deepEqual(told(await compareFiles(tree(list), tree(list))), [true]);
    assert.deepEqual(told(await compareFiles(tree(keys), tree(keys))), [true]);
  });

  test("with an integer and a text that read alike side by side", async () => {
    const both = (one: bigint, text: bigint): string =>
      tree(
        new Map<string | number, FlaxTree>([
          [1, one],
          ["1", text],
        ]),
      );
    assert.deepEqual(told(await compareFiles(both(2n, 3n), both(2n, 3n))), [true]);
    assert.deepEqual(told(await compareFiles(both(2n, 3n), both(2n, 4n))), [false, "values 1 1"]);
  });

  test("also as versions, and as a version and a file", async () => {
    const store = new ModelStore(join(folder, "home"));
    const save = async (version: string, path: string) => {
      await store.save(draftOf("tree", version), [{ from: path, to: "weights.msgpack" }]);
      return { kind: "model", model: store.get(`tree:${version}`) } as const;
    };
    const [list, keys] = [tree(map({ a: [array] })), tree(map({ a: numbered(array) }))];
    const [v1, v2] = [await save("v1", list), await save("v2", keys)];
    const moved = "moved a/0 a/0";
    assert.equal(told(await compare(v1, v2, {}, {}))[1], moved);
    assert.deepEqual(told(await compare(v1, { kind: "file", path: keys }, {}, {})).slice(0, 2), [false, moved]);
    assert.equal((await compare(v1, { kind: "file", path: list }, {}, {})).tensors.length, 0);
  });
});

suite("two files with equal tensors are not the same", () => {
  const ARRAY = Buffer.from(writeNpy(FLOATS));
  const npz = (...members: RawZipMember[]): string =>
    write("npz", zipOf([{ name: "a.npy", content: ARRAY }, ...members]));
  const readme = (text: string): RawZipMember => ({ name: "README.txt", content: Buffer.from(text), method: 0 });
  const untold = [false, "changed files content"];

  test("when a member of an .npz is no array and differs", async () => {
    assert.deepEqual(told(await compareFiles(npz(readme("hello")), npz(readme("other")))), untold);
    assert.deepEqual(told(await compareFiles(npz(), npz(readme("other")))), untold);
    assert.deepEqual(told(await compareFiles(npz(readme("hello")), npz(readme("hello")))), [true]);
    // How an archive is packed is no content.
    assert.deepEqual(
      told(await compareFiles(npz(), write("npz", zipOf([{ name: "a.npy", content: ARRAY, method: 0 }])))),
      [true],
    );
  });

  test("when bytes follow the values of an array", async () => {
    const npy = (behind: string): string => write("npy", Buffer.concat([ARRAY, Buffer.from(behind)]));
    assert.deepEqual(told(await compareFiles(npy(""), npy("more"))), untold);
    assert.deepEqual(told(await compareFiles(npy("more"), npy(""))), untold);
    assert.deepEqual(told(await compareFiles(npy("more"), npy("mere"))), untold);
    assert.deepEqual(told(await compareFiles(npy("more"), npy("more"))), [true]);
    const inside = (text: string): string =>
      write("npz", zipOf([{ name: "a.npy", content: Buffer.concat([ARRAY, Buffer.from(text)]), method: 0 }]));
    assert.deepEqual(told(await compareFiles(inside("more"), inside("mere"))), untold);
  });

  test("when a MessagePack file has a value that does not count", async () => {
    // {"a": first, "a": 1}
    const twice = (first: number): string => write("msgpack", Buffer.from([0x82, 0xa1, 0x61, first, 0xa1, 0x61, 1]));
    assert.deepEqual(told(await compareFiles(twice(2), twice(3))), untold);
    assert.deepEqual(told(await compareFiles(twice(2), twice(2))), [true]);
  });

  test("in versions, too", async () => {
    const store = new ModelStore(join(folder, "archives"));
    const versions = [];
    for (const [i, text] of ["hello", "other"].entries()) {
      await store.save(draftOf("zip", `v${i}`), [{ from: npz(readme(text)), to: "weights.npz" }]);
      versions.push({ kind: "model", model: store.get(`zip:v${i}`) } as const);
    }
    const [a, b] = versions;
    if (!a || !b) throw new Error("two versions were saved");
    assert.deepEqual(told(await compare(a, b, {}, {})), [false, "changed files weights.npz"]);
    const bare = { kind: "file", path: npz(readme("hello")) } as const;
    // A version without a module has no format of its own.
    const format = "changed format format";
    assert.deepEqual(told(await compare(a, bare, {}, {})), [false, format]);
    assert.deepEqual(told(await compare(b, bare, {}, {})), [false, format, "changed files content"]);
  });
});

test("numbers of MessagePack are the same in any width, as Python reads them", async () => {
  // {"a": 1.5, "b": 1}
  const narrow = Buffer.from([0x82, 0xa1, 0x61, 0xca, 0x3f, 0xc0, 0, 0, 0xa1, 0x62, 1]);
  const wide = Buffer.from([0x82, 0xa1, 0x61, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xa1, 0x62, 0xcc, 1]);
  assert.deepEqual(told(await compareFiles(write("msgpack", narrow), write("msgpack", wide))), [true]);
});
