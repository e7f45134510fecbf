import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { convertToMessagePack, convertToSafetensors } from "../../../../src/extension/commands/convertWeights";
import { msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import { inspectFile } from "../../../../src/frameworks/inspect";
import { ModelStore } from "../../../../src/store/modelStore";
import { draftOf, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

const { path: folder, remove } = tempFolder();
after(remove);

const source = join(folder, "weights.msgpack");
const weights = { kind: "ndarray", dtype: "float32", shape: [1], data: new Uint8Array(4) } as const;
writeFileSync(
  source,
  msgpackSerialize(
    new Map<string, FlaxTree>([
      ["step", 3n],
      ["a.b", weights],
      ["w", weights],
    ]),
  ),
);

suite("converting weights", () => {
  test("lists what will not be the same before anything is written, then writes, verifies and opens", async () => {
    const target = join(folder, "made.safetensors");
    const { services: parts, lines } = services(folder, { review: "accept", target, presses: true });
    await convertToSafetensors(parts, { fsPath: source });
    assert.deepEqual(lines.slice(0, 4), [
      "review: Convert weights.msgpack: 1 tensor, 4 B, 1 left out",
      "[x] Keep 1 leaf that is no tensor (as JSON in the file's metadata)",
      "[-] step (int) {is of type int, and safetensors has tensors only}",
      '[-] a.b (float32) {has the key "a.b", whose dot would read as another level}',
    ]);
    assert.deepEqual(lines.slice(4), [
      `target: ${join(folder, "weights.safetensors")}`,
      "progress: Converting weights.msgpack",
      "inform: made.safetensors written: 1 tensor, 180 B, verified equal to the source. [Open]",
      `openWith: ${target} modelbench.safetensors`,
    ]);
    const { metadata, tensors } = inspectFile(target);
    assert.deepEqual([[...metadata.keys()], tensors.map(({ name }) => name)], [["format", "modelbench.leaves"], ["w"]]);
  });

  test("writes nothing when the list, or the place, is dismissed", async () => {
    for (const answers of [{}, { review: "accept" }] as const) {
      const { services: parts, lines } = services(folder, answers);
      await convertToSafetensors(parts, { fsPath: source });
      assert.ok(!lines.some((line) => line.startsWith("progress")), lines.join("\n"));
    }
    assert.equal(existsSync(join(folder, "weights.safetensors")), false);
  });

  test("a file that was written to while its list was open is not converted to something that the list did not name", async () => {
    const path = join(folder, "busy.msgpack");
    const write = (...more: (readonly [string, FlaxTree])[]) =>
      writeFileSync(path, msgpackSerialize(new Map<string, FlaxTree>([["w", weights], ...more])));
    const target = join(folder, "busy.safetensors");
    write();
    const review = (): readonly string[] => {
      write(["lost", 3n]);
      return [];
    };
    const { services: parts } = services(folder, { review, target });
    await assert.rejects(convertToSafetensors(parts, { fsPath: path }), {
      code: "file.access",
      message: "busy.msgpack was written to since it was looked at.",
    });
    assert.equal(existsSync(target), false);
  });

  test("of a version takes its only weights, and asks for a file without a row", async () => {
    const store = new ModelStore(join(folder, "home"));
    await store.save(draftOf("lm", "v1"), [{ from: join(folder, "made.safetensors"), to: "model.safetensors" }]);
    const target = join(folder, "lm.msgpack");
    const { services: parts, lines } = services(store.home, { review: "accept", target });
    await convertToMessagePack(parts, { store: "own", tag: "lm:v1" });
    assert.deepEqual(
      lines.filter((line) => line.startsWith("target")),
      ["target: lm-v1.msgpack"],
    );
    assert.deepEqual(
      inspectFile(target).tensors.map(({ name, kind }) => [name, kind]),
      [
        ["w", "ndarray"],
        ["step", "int"],
      ],
    );
    const asked = services(store.home, { files: [source] });
    await assert.rejects(convertToMessagePack(asked.services), { code: "usage", message: /MessagePack file already/ });
  });
});
