import assert from "node:assert/strict";
import test, { after } from "node:test";
import { gzipSync } from "node:zlib";
import { archiveCases, inContainers, modelYaml } from "../../../fixtures/hostileArchives";
import { CANARY } from "../../../fixtures/hostileNames";
import { bz2Of } from "../../../fixtures/rawBz2";
import { rawMember, tarOf } from "../../../fixtures/rawTar";
import { tempFolder } from "../storeKit";
import { attempt } from "./attempt";

const { path: folder, remove } = tempFolder();
after(remove);

/** These do not say how much they hold, so what tar and xz call damaged is there called too large. */
const SILENT = new Set(["tar.gz", "tar.bz2"]);

for (const { id, tar, refusedAs } of archiveCases()) {
  test(`${id} is ${refusedAs === undefined ? "imported" : `refused as ${refusedAs}`} in every container`, async () => {
    for (const [extension, archive] of await inContainers(tar)) {
      const { error, tag, tree } = await attempt(folder, `case.${extension}`, archive);
      if (refusedAs === undefined) {
        assert.equal(error, undefined, `${extension}: ${error?.message}`);
        assert.equal(tag, "hostile_model:v1");
        assert.ok(tree?.has("model.yaml"));
      } else {
        const code = SILENT.has(extension) && id.includes("tebibyte") ? "archive.unsafe" : refusedAs;
        assert.equal(error?.code, code, `${extension}: ${error?.message ?? "accepted"}`);
      }
    }
  });
}

const small = () =>
  tarOf(
    rawMember({ name: "./model.yaml", content: modelYaml() }),
    rawMember({ name: "./w", content: Buffer.alloc(100, 3) }),
  );

test("garbage and zeros behind a compressed tar are refused, a second member or stream is part of the content", async () => {
  const tar = small();
  const [first, second] = [tar.subarray(0, 700), tar.subarray(700)];
  for (const [extension, pack] of [
    ["tar.gz", (bytes: Buffer) => gzipSync(bytes)],
    ["tar.bz2", (bytes: Buffer) => bz2Of(bytes)],
  ] as const) {
    const whole = pack(tar);
    for (const tail of [Buffer.from("garbage"), Buffer.alloc(100), whole.subarray(0, 2)]) {
      const { error } = await attempt(folder, `tail.${extension}`, Buffer.concat([whole, tail]));
      assert.equal(error?.code, "archive.corrupt", `${extension} ${tail.toString("hex")}`);
    }
    const split = Buffer.concat([pack(first), pack(second)]);
    assert.equal((await attempt(folder, `split.${extension}`, split)).error, undefined, extension);
  }
});

test("the name of an archive says nothing about what it is", async () => {
  for (const [extension, archive] of await inContainers(small())) {
    const { error } = await attempt(folder, `renamed-${extension}.zip`, archive);
    assert.equal(error, undefined, `${extension}: ${error?.message}`);
  }
});

test("what is no archive is named as such", async () => {
  for (const [name, bytes] of [
    ["page.bentomodel", Buffer.from("<html>not found</html>")],
    ["empty.tar", Buffer.alloc(0)],
    ["short.zip", Buffer.from("PK")],
  ] as const) {
    const { error } = await attempt(folder, name, bytes);
    assert.equal(error?.code, "archive.format");
    assert.match(error?.message ?? "", new RegExp(`${name}: This is no archive`));
  }
});

test("a tilde is a plain folder inside the model", async () => {
  const tilde = archiveCases().find(({ id }) => id === "ok: tilde folder")?.tar ?? Buffer.alloc(0);
  const { tree } = await attempt(folder, "t.tar", tilde);
  assert.ok(tree?.has(`~/${CANARY}`));
});
