import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { ExternalFolder, type ExternalResult } from "../../../../src/formats/onnx/externalData";
import { readOnnxHeader } from "../../../../src/formats/onnx/header";
import { model, tensorFields } from "../../../fixtures/onnxParts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "mb-external-")));
const folder = join(root, "model");
mkdirSync(join(folder, "sub"), { recursive: true });
writeFileSync(join(folder, "w.bin"), Buffer.alloc(16));
writeFileSync(join(folder, "sub", "w.bin"), Buffer.alloc(8));
writeFileSync(join(root, "secret"), Buffer.alloc(64));
symlinkSync(join(root, "secret"), join(folder, "link.bin"));
symlinkSync(root, join(folder, "up"));
symlinkSync("w.bin", join(folder, "alias.bin"));
after(() => rmSync(root, { recursive: true }));

/** Resolves a tensor of two float32 values. */
function resolve(external: Readonly<Record<string, string>>): ExternalResult {
  const bytes = model({ initializers: [tensorFields({ name: "t", type: 1, dims: [2], external })] });
  const [tensor] = readOnnxHeader(bufferReader(bytes), "m").initializers;
  assert.ok(tensor);
  return new ExternalFolder(folder).resolve(tensor);
}

test("data inside the folder is found with its bounds, in subfolders and through inner links too", () => {
  assert.deepEqual(resolve({ location: "w.bin", offset: "8", length: "8" }), {
    ok: true,
    data: { path: join(folder, "w.bin"), location: "w.bin", offset: 8, length: 8 },
  });
  assert.ok(resolve({ location: "./sub//w.bin" }).ok);
  assert.ok(resolve({ location: "alias.bin" }).ok);
});

test("a location that leaves the folder, in words or by a link, is never touched", () => {
  const locations = [
    "../secret",
    "sub/../../secret",
    "/etc/hostname",
    "C:\\x",
    "a\\b",
    "w.bin\0/../x",
    "",
    ".",
    "link.bin",
    "up/secret",
  ];
  for (const location of locations) {
    const found = resolve({ location });
    assert.equal(found.ok ? "ok" : found.problem.code, "onnx.external.path", location);
  }
});

test("a missing file and a folder are told apart", () => {
  const missing = resolve({ location: "none.bin" });
  const directory = resolve({ location: "sub" });
  assert.equal(missing.ok ? "ok" : missing.problem.code, "onnx.external.missing");
  assert.equal(directory.ok ? "ok" : directory.problem.code, "onnx.external.file");
});

test("offset and length must be decimal, fit the shape and end inside the file", () => {
  const bad = [
    { offset: "-1" },
    { offset: "1e1" },
    { length: "9223372036854775807" },
    { length: "4" },
    { offset: "9" },
  ];
  for (const bounds of bad) {
    const found = resolve({ location: "w.bin", ...bounds });
    assert.equal(found.ok ? "ok" : found.problem.code, "onnx.external.range", JSON.stringify(bounds));
  }
});
