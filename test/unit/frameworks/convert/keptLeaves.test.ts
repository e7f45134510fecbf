import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { msgpackRestore, msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import { type NewSafetensor, safetensorsFile } from "../../../../src/formats/safetensors/writer";
import { memoryData } from "../../../../src/formats/tensorData";
import { convertFile, previewConversion } from "../../../../src/frameworks/convert/convert";
import { LEAVES_KEY } from "../../../../src/frameworks/convert/keptLeaves";
import type { ConvertibleFormat, ConvertOptions } from "../../../../src/frameworks/convert/plan";
import { inspectFile } from "../../../../src/frameworks/inspect";
import { fc } from "../../../fixtures/fastCheck";
import { tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

let made = 0;
const fresh = (extension: string): string => join(folder, `file-${made++}.${extension}`);
const BYTES = { dtype: "uint8", shape: [1], data: Uint8Array.of(7) } as const;
const array: FlaxTree = { kind: "ndarray", ...BYTES };
const map = (members: Readonly<Record<string, FlaxTree>>): FlaxTree => new Map(Object.entries(members));

function flaxFile(tree: FlaxTree): string {
  const path = fresh("msgpack");
  writeFileSync(path, msgpackSerialize(tree));
  return path;
}

function flatFile(names: readonly string[], leaves?: string): string {
  const path = fresh("safetensors");
  const tensors = names.map((name): NewSafetensor => ({ name, data: memoryData(BYTES) }));
  const metadata = new Map(leaves === undefined ? [] : [[LEAVES_KEY, leaves]]);
  writeFileSync(path, Buffer.concat([...safetensorsFile({ metadata, tensors })]));
  return path;
}

async function convert(source: string, to: ConvertibleFormat, options: ConvertOptions = {}): Promise<string> {
  const destination = fresh(to === "safetensors" ? "safetensors" : "msgpack");
  await convertFile({ source, to, options }, destination, false, {});
  return destination;
}

const restored = (path: string): FlaxTree => msgpackRestore(readFileSync(path));
const changes = (source: string, options: ConvertOptions = {}): string[] =>
  previewConversion({ source, to: "flax-msgpack", options }).changed.map(({ change }) => change);

/** There and back. */
async function returned(tree: FlaxTree): Promise<FlaxTree> {
  const kept = await convert(flaxFile(tree), "safetensors", { leaves: true });
  return restored(await convert(kept, "flax-msgpack"));
}

suite("kept leaves come back", () => {
  test("in lists as they were in lists, and under integer keys as under these", async () => {
    const tree = map({
      l: [1n, [2n, new Map()]],
      k: new Map<string | number, FlaxTree>([
        ["1", 3n],
        [1, 2n],
      ]),
      e: [[], map({})],
    });
    assert.deepEqual(sorted(await returned(tree)), sorted(tree));
    assert.deepEqual(sorted(await returned([array, 5n])), sorted([array, 5n]));
  });

  test("with the arrays beside them, whose names cannot tell", async () => {
    const tree = map({
      mixed: [array, 1n, map({ w: array })],
      keys: new Map([
        [0, map({ w: array, step: 1n })],
        [5, map({ w: array })],
      ]),
    });
    assert.deepEqual(sorted(await returned(tree)), sorted(tree));
    const kept = await convert(flaxFile(tree), "safetensors", { leaves: true });
    assert.match(changes(kept).join(), /integer keys or places in a list, as in the leaves that were kept there/);
  });

  test("of any tree of leaves", async () => {
    const leaf = fc.oneof(
      fc.constant<FlaxTree>(null),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.double(),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array({ maxLength: 3 }),
    );
    const key = fc.oneof(fc.constantFrom("0", "1", "", "a.b", "__proto__"), fc.integer({ min: -2, max: 3 }));
    const { tree } = fc.letrec<{ tree: FlaxTree; node: FlaxTree }>((tie) => ({
      node: fc.oneof({ depthSize: "small" }, leaf, tie("tree")),
      tree: fc.oneof(
        fc.array(fc.tuple(key, tie("node")), { maxLength: 4 }).map((members): FlaxTree => new Map(members)),
        fc.array(tie("node"), { maxLength: 3 }),
      ),
    }));
    const same = fc.asyncProperty(tree, async (any) => {
      const root = map({ root: any });
      assert.deepEqual(sorted(await returned(root)), sorted(root));
    });
    await fc.assert(same, { numRuns: 100 });
  });

  test("from files of earlier versions, which did not tell lists", async () => {
    const old = '[{"path":["l",0],"kind":"int","value":"1"},{"path":["l",1],"kind":"null"}]';
    const back = restored(await convert(flatFile(["w"], old), "flax-msgpack"));
    const keys = new Map<number, FlaxTree>([
      [0, 1n],
      [1, null],
    ]);
    assert.deepEqual(sorted(back), sorted(map({ l: keys, w: array })));
  });

  test("elsewhere only with a word about it", async () => {
    const gap = flatFile(["w"], '[{"path":["l",{"i":1}],"kind":"null"}]');
    assert.deepEqual(changes(gap), [
      "stays a map with integer keys, because places of the list are missing",
      "a leaf gets other keys than it was kept with",
    ]);
    const list = flatFile(["w"], '[{"path":["l",{"i":0}],"kind":"null"}]');
    assert.deepEqual(changes(list), []);
    const like = flaxFile(map({ l: map({ "0": null }) }));
    assert.deepEqual(changes(list, { like }), ["a leaf gets other keys than it was kept with"]);
    const back = restored(await convert(list, "flax-msgpack", { like }));
    assert.deepEqual(sorted(back), sorted(map({ w: array, l: map({ "0": null }) })));
  });

  test("not from what is not written like this", () => {
    for (const path of ['[{"i":-1}]', '[{"i":0.5}]', '[{"i":"0"}]', '[{"j":0}]', "[true]", "[[0]]"]) {
      const source = flatFile(["w"], `[{"path":${path},"kind":"null"}]`);
      assert.throws(() => changes(source), { code: "format.corrupt", message: /modelbench\.leaves/ }, path);
    }
    const both = flatFile(["w"], '[{"path":["l",{"i":0}],"kind":"null"},{"path":["l","x"],"kind":"null"}]');
    assert.throws(() => changes(both), { code: "format.corrupt" });
  });
});

suite("what flax would read as something else", () => {
  const CHUNKED = "__msgpack_chunked_array__";

  test("is refused by the source's name, and listed before", async () => {
    const sources = [
      flatFile([`w.${CHUNKED}`, "w.shape.0"]),
      flatFile([CHUNKED, "shape.0", "chunks.0"]),
      flatFile(["w"], `[{"path":["v","${CHUNKED}"],"kind":"bool","value":true}]`),
    ];
    for (const source of sources) {
      const { dropped } = previewConversion({ source, to: "flax-msgpack", options: {} });
      assert.equal(dropped.length, 1);
      assert.match(dropped[0]?.reason ?? "", /"__msgpack_chunked_array__", which makes a map an array in chunks/);
      const destination = fresh("msgpack");
      await assert.rejects(
        convertFile({ source, to: "flax-msgpack", options: {} }, destination, false, {}),
        ({ code, message }: { code: string; message: string }) =>
          code === "convert.lossy" && message.startsWith(`${source}: `) && !message.includes(".part"),
      );
      assert.equal(existsSync(destination), false);
    }
    const left = inspectFile(await convert(sources[0] ?? "", "flax-msgpack", { drop: true }));
    assert.deepEqual(
      left.tensors.map(({ name }) => name),
      ["w/shape/0"],
    );
  });

  test("or not at all, is told without the name it was written under", async () => {
    const source = flatFile(["x".repeat(70_000)]);
    await assert.rejects(
      convert(source, "flax-msgpack"),
      ({ message }: Error) => /a key has 70000 bytes/.test(message) && !message.includes(".part"),
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(".")),
      [],
    );
  });
});

/** The same tree with its keys in one order. */
function sorted(tree: FlaxTree): unknown {
  if (Array.isArray(tree)) return tree.map(sorted);
  if (tree instanceof Uint8Array) return [...tree];
  if (tree !== null && typeof tree === "object" && "data" in tree) return { ...tree, data: [...tree.data] };
  if (!(tree instanceof Map)) return tree;
  const members = [...tree].map(([key, value]) => [JSON.stringify(key), sorted(value)] as const);
  return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
