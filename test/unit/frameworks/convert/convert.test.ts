import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { msgpackRestore, msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import type { DType } from "../../../../src/formats/tensor";
import { convertFile, formatToWrite, previewConversion } from "../../../../src/frameworks/convert/convert";
import type { ConvertibleFormat, ConvertOptions } from "../../../../src/frameworks/convert/plan";
import { inspectFile } from "../../../../src/frameworks/inspect";
import { fc } from "../../../fixtures/fastCheck";
import { float32s } from "../../../fixtures/flaxTrees";
import { safetensorsBytes } from "../../../fixtures/safetensors";
import { tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

let made = 0;
const fresh = (extension: string): string => join(folder, `file-${made++}.${extension}`);
const map = (members: Readonly<Record<string, FlaxTree>>): FlaxTree => new Map(Object.entries(members));

function flaxFile(tree: FlaxTree): string {
  const path = fresh("msgpack");
  writeFileSync(path, msgpackSerialize(tree));
  return path;
}

async function convert(source: string, to: ConvertibleFormat, options: ConvertOptions = {}): Promise<string> {
  const destination = fresh(to === "safetensors" ? "safetensors" : "msgpack");
  const found = await convertFile({ source, to, options }, destination, false, {});
  assert.equal(found.path, destination);
  return destination;
}

const restored = (path: string): FlaxTree => msgpackRestore(readFileSync(path));
const namesIn = (path: string): string[] => inspectFile(path).tensors.map(({ name }) => name);
const dropped = (source: string, to: ConvertibleFormat, options: ConvertOptions = {}): [string, string][] =>
  previewConversion({ source, to, options }).dropped.map(({ name, reason }) => [name, reason]);

suite("MessagePack to safetensors", () => {
  test("joins keys by dots and says that flax wrote it", async () => {
    const source = flaxFile(
      map({ params: map({ Dense_0: map({ kernel: float32s([1, 2], [1, 2]), bias: float32s([3]) }) }) }),
    );
    const result = await convert(source, "safetensors", { metadata: new Map([["author", "ann"]]) });
    const document = inspectFile(result, { digest: true });
    assert.deepEqual(namesIn(result).sort(), ["params.Dense_0.bias", "params.Dense_0.kernel"]);
    assert.deepEqual(Object.fromEntries(document.metadata), { format: "flax", author: "ann" });
    const digests = ({ tensors }: typeof document): (string | undefined)[] =>
      tensors.map(({ sha256 }) => sha256).sort();
    assert.deepEqual(digests(document), digests(inspectFile(source, { digest: true })));
  });

  test("refuses what names or tensors cannot say, each with its reason, and writes nothing", async () => {
    const source = flaxFile(
      map({
        "a.b": float32s([1]),
        "": float32s([1]),
        step: 3n,
        name: "x",
        empty: map({}),
        list: [],
        good: float32s([1]),
        z: { kind: "ndarray", dtype: "complex128", shape: [1], data: new Uint8Array(16) },
        i4: { kind: "ndarray", dtype: "int4", shape: [1], data: new Uint8Array(1) },
        f6: { kind: "ndarray", dtype: "float6_e2m3fn", shape: [1], data: new Uint8Array(1) },
      }),
    );
    const reasons = new Map(dropped(source, "safetensors"));
    assert.deepEqual(
      [...reasons.keys()].sort(),
      ["a.b", "empty", "f6", "i4", "list", "name", "step", "z", previewName(source)].sort(),
    );
    assert.match(reasons.get("a.b") ?? "", /dot would read as another level/);
    assert.match(reasons.get("z") ?? "", /complex128/);
    assert.match(reasons.get("f6") ?? "", /do not end at a whole byte/);
    const destination = fresh("safetensors");
    await assert.rejects(convertFile({ source, to: "safetensors", options: {} }, destination, false, {}), {
      code: "convert.lossy",
    });
    assert.equal(existsSync(destination), false);
    assert.deepEqual(namesIn(await convert(source, "safetensors", { drop: true })), ["good"]);
  });

  test("packs types of less than a byte, and takes them apart again", async () => {
    const codes = Uint8Array.from({ length: 8 }, (_, i) => (i * 37) % 16);
    const types: readonly DType[] = ["float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn"];
    const tree = map(
      Object.fromEntries(
        types.map((dtype) => [dtype, { kind: "ndarray", dtype, shape: [2, 4], data: codes } as FlaxTree]),
      ),
    );
    const back = await convert(await convert(flaxFile(tree), "safetensors"), "flax-msgpack");
    assert.deepEqual(restored(back), restored(flaxFile(new Map([...(tree as Map<string, FlaxTree>)].reverse()))));
  });

  test("says which keys and scalars take another form", () => {
    const scalar: FlaxTree = { kind: "npscalar", dtype: "float32", shape: [], data: new Uint8Array(4) };
    const source = flaxFile(
      map({ layers: new Map([[0, float32s([1])]]), opt: map({ "0": float32s([1]) }), count: scalar }),
    );
    const { changed } = previewConversion({ source, to: "safetensors", options: {} });
    assert.deepEqual(
      changed.map(({ change, names }) => [change.split(" ").slice(0, 2).join(" "), names]),
      [
        ["integer keys", ["layers/0"]],
        ["digits as", ["opt/0"]],
        ["a scalar", ["count"]],
      ],
    );
  });
});

function previewName(path: string): string {
  return path.slice(folder.length + 1);
}

suite("safetensors to MessagePack", () => {
  test("gives digits back their integers and lists where a model file has such", async () => {
    const like = map({
      layers: new Map([
        [0, float32s([1])],
        [1, float32s([2])],
      ]),
      list: [float32s([3]), float32s([4])],
      "0": float32s([5]),
    });
    const source = await convert(flaxFile(like), "safetensors");
    const plain = restored(await convert(source, "flax-msgpack"));
    assert.deepEqual(keysOf(plain), [
      '"0"',
      '"layers"',
      '"layers"."0"',
      '"layers"."1"',
      '"list"',
      '"list"."0"',
      '"list"."1"',
    ]);
    const same = restored(await convert(source, "flax-msgpack", { like: flaxFile(like) }));
    assert.deepEqual(keysOf(same), ['"0"', '"layers"', '"layers".0', '"layers".1', '"list"', '"list"[2]']);
  });

  test("puts kept leaves back where they were, exactly", async () => {
    const tree = map({
      step: 2n ** 63n,
      rate: -0,
      half: 1,
      none: null,
      yes: true,
      text: "ä\n",
      raw: Uint8Array.of(0, 255),
      z: { kind: "complex", re: Number.NaN, im: Number.POSITIVE_INFINITY },
      opt: map({ "0": map({}), list: [], w: float32s([1]) }),
    });
    const kept = await convert(flaxFile(tree), "safetensors", { leaves: true });
    assert.deepEqual(namesIn(kept), ["opt.w"]);
    const back = restored(await convert(kept, "flax-msgpack"));
    assert.deepEqual(sortedTree(back), sortedTree(restored(flaxFile(tree))));
  });

  test("refuses names that begin with another's, and metadata", async () => {
    const path = fresh("safetensors");
    const header = JSON.stringify({
      __metadata__: { format: "pt", author: "ann" },
      a: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
      "a.b": { dtype: "U8", shape: [1], data_offsets: [1, 2] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.from([1, 2])]));
    assert.deepEqual(
      dropped(path, "flax-msgpack").map(([name]) => name),
      ["a.b", "author"],
    );
    assert.throws(
      () => previewConversion({ source: path, to: "flax-msgpack", options: { metadata: new Map([["a", "b"]]) } }),
      {
        code: "usage",
      },
    );
  });

  test("leaves out what numpy could not read back, and says so before", async () => {
    const path = fresh("safetensors");
    const entry = (shape: readonly number[], at: number, bytes: number) => ({
      dtype: "U8",
      shape,
      data_offsets: [at, at + bytes],
    });
    const deep = new Array<string>(3000).fill("a").join(".");
    const header = {
      good: entry([1], 0, 1),
      [deep]: entry([1], 1, 1),
      rank: entry(new Array<number>(65).fill(1), 2, 1),
      wide: entry([2 ** 40, 0, 2 ** 40], 3, 0),
    };
    writeFileSync(path, safetensorsBytes(JSON.stringify(header), Uint8Array.of(1, 2, 3)));
    assert.deepEqual(
      dropped(path, "flax-msgpack").map(([, reason]) => reason),
      [
        "is nested more than 511 levels deep",
        "has 65 dimensions, and numpy allows 64",
        "has dimensions that no array can have",
      ],
    );
    await assert.rejects(convert(path, "flax-msgpack"), ({ message }: Error) => message.length < path.length + 300);
    assert.deepEqual(namesIn(await convert(path, "flax-msgpack", { drop: true })), ["good"]);
  });

  test("says on one line which name would be left out, whatever is in it", async () => {
    for (const [key, shown] of [
      ["k\n1", '"k\\u{a}1"'],
      ["", '""'],
    ] as const) {
      const path = fresh("safetensors");
      byteFile(path, "w", { [key]: "v" });
      await assert.rejects(convert(path, "flax-msgpack"), {
        message: `${path}: ${shown} would be left out: it is metadata, which a MessagePack file does not have.`,
      });
    }
  });
});

/** A safetensors file of one byte. */
function byteFile(path: string, tensor: string, metadata: Readonly<Record<string, string>>): void {
  const header = JSON.stringify({
    __metadata__: metadata,
    [tensor]: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.from([1])]));
}

suite("the metadata of a conversion", () => {
  test("leaves the key of kept leaves alone", async () => {
    const source = flaxFile(map({ w: float32s([1]), step: 3n }));
    for (const leaves of [true, false]) {
      const options = { leaves, drop: true, metadata: new Map([["modelbench.leaves", "[]"]]) };
      await assert.rejects(convert(source, "safetensors", options), { code: "usage", message: /modelbench\.leaves/ });
    }
  });

  test("of shards that disagree is said to be left out, and warned of", async () => {
    const at = join(folder, "sharded");
    mkdirSync(at);
    byteFile(join(at, "1.safetensors"), "a", { format: "pt", epoch: "1" });
    byteFile(join(at, "2.safetensors"), "b", { format: "pt", epoch: "2", "modelbench.leaves": "[]" });
    byteFile(join(at, "3.safetensors"), "c", { format: "pt", epoch: "3" });
    const source = join(at, "model.safetensors.index.json");
    const shards = { a: "1.safetensors", b: "2.safetensors", c: "3.safetensors" };
    writeFileSync(source, JSON.stringify({ weight_map: shards }));
    const reason = "has another value in 2.safetensors, 3.safetensors than in 1.safetensors, whose value is kept";
    assert.deepEqual(dropped(source, "safetensors"), [["epoch", reason]]);
    assert.deepEqual(dropped(source, "safetensors", { metadata: new Map([["epoch", "9"]]) }), []);
    const [warning, ...others] = inspectFile(source).warnings;
    assert.equal(warning?.code, "safetensors.metadata");
    assert.match(warning?.message ?? "", /"epoch" .* 2\.safetensors, 3\.safetensors than in 1\.safetensors/);
    assert.deepEqual(others, []);
    await assert.rejects(convert(source, "safetensors"), { code: "convert.lossy" });
    byteFile(join(at, "3.safetensors"), "c", { "modelbench.leaves": '[{"path":["x"],"kind":"null"}]' });
    assert.deepEqual(
      dropped(source, "flax-msgpack").map(([name]) => name),
      ["epoch", "modelbench.leaves"],
    );
  });
});

suite("a conversion", () => {
  test("never takes a name that is taken, unless it is told to, and leaves nothing behind", async () => {
    const source = flaxFile(map({ w: float32s([1]) }));
    const destination = fresh("safetensors");
    writeFileSync(destination, "mine");
    const input = { source, to: "safetensors", options: {} } as const;
    await assert.rejects(convertFile(input, destination, false, {}), { code: "file.access" });
    assert.equal(readFileSync(destination, "utf8"), "mine");
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(convertFile(input, destination, true, { signal: stop.signal }), { code: "cancelled" });
    assert.equal(readFileSync(destination, "utf8"), "mine");
    await convertFile(input, destination, true, {});
    assert.deepEqual(namesIn(destination), ["w"]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(".")),
      [],
    );
  });

  test("replaces no link and writes nothing into a version", async () => {
    const input = { source: flaxFile(map({ w: float32s([1]) })), to: "safetensors", options: {} } as const;
    const target = fresh("safetensors");
    writeFileSync(target, "mine");
    const version = join(folder, "version");
    mkdirSync(join(version, "weights"), { recursive: true });
    writeFileSync(join(version, "model.yaml"), "");
    const saved = join(version, "weights", "saved.safetensors");
    writeFileSync(saved, "saved");
    const [link, dangling, aside] = ["link", "dangling", "aside"].map((name) =>
      join(folder, `${name}.safetensors`),
    ) as [string, string, string];
    symlinkSync(target, link);
    symlinkSync(join(folder, "nothing"), dangling);
    symlinkSync(join(version, "weights"), aside);
    for (const path of [link, dangling, saved, join(version, "new.safetensors"), join(aside, "new.safetensors")]) {
      for (const replace of [true, false]) {
        await assert.rejects(
          convertFile(input, path, replace, {}),
          { code: "file.access", message: /is a link|belongs to the model/ },
          path,
        );
      }
    }
    assert.deepEqual([readFileSync(target, "utf8"), readFileSync(saved, "utf8")], ["mine", "saved"]);
    assert.deepEqual(readdirSync(version), ["model.yaml", "weights"]);
  });

  test("writes .safetensors and .msgpack files of such files only", () => {
    assert.equal(formatToWrite("a.safetensors"), "safetensors");
    assert.throws(() => formatToWrite("a.onnx"), { code: "usage" });
    assert.throws(() => formatToWrite("model.safetensors.index.json"), { code: "usage" });
    const text = fresh("txt");
    writeFileSync(text, "text");
    assert.throws(() => previewConversion({ source: text, to: "safetensors", options: {} }), { code: "usage" });
  });

  test("of any tree and back, like the tree itself, changes nothing", async () => {
    const key = fc.oneof(
      fc.stringMatching(/^[a-z_]{1,4}$/),
      fc.constantFrom("0", "1", "__proto__", "constructor", "ключ"),
    );
    const leaf = fc.oneof(
      fc.array(fc.double(), { maxLength: 4 }).map((values) => float32s(values)),
      fc.constant<FlaxTree>(null),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.double(),
      fc.string({ unit: "grapheme" }),
      fc.boolean(),
    );
    const { tree } = fc.letrec<{ tree: FlaxTree; node: FlaxTree }>((tie) => ({
      node: fc.oneof({ depthSize: "small" }, leaf, tie("tree")),
      tree: fc.oneof(
        fc
          .dictionary(key, tie("node"), { maxKeys: 4, noNullPrototype: true })
          .map((members) => new Map(Object.entries(members))),
        fc.array(tie("node"), { maxLength: 3 }).map((items): FlaxTree => new Map(items.map((item, i) => [i, item]))),
        fc.array(tie("node"), { maxLength: 3 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(tree, async (any) => {
        const root = map({ root: any });
        const like = flaxFile(root);
        const kept = await convert(like, "safetensors", { leaves: true });
        const back = restored(await convert(kept, "flax-msgpack", { like }));
        assert.deepEqual(sortedTree(back), sortedTree(restored(like)));
      }),
      { numRuns: 150 },
    );
  });
});

/** Every key of a tree by its path; integers without quotes, lists by their length. */
function keysOf(tree: FlaxTree, prefix = ""): string[] {
  if (!(tree instanceof Map)) return [];
  return [...tree]
    .flatMap(([key, value]) => {
      const path = `${prefix}${prefix === "" ? "" : "."}${JSON.stringify(key)}`;
      return Array.isArray(value) ? [path, `${path}[${value.length}]`] : [path, ...keysOf(value, path)];
    })
    .sort();
}

/** The same tree with its keys in one order. */
function sortedTree(tree: FlaxTree): unknown {
  if (Array.isArray(tree)) return tree.map(sortedTree);
  if (!(tree instanceof Map)) return tree;
  return [...tree]
    .map(([key, value]) => [JSON.stringify(key), sortedTree(value)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
