import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { writeNpy } from "../../../src/formats/npy";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { addModel, floats } from "../../fixtures/onnxParts";

let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => kit.dispose());

function onnx(name: string, bytes: Uint8Array = addModel()): string {
  const path = join(kit.folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The same graph with another weight. */
function retrained(): Buffer {
  const bytes = Buffer.from(addModel());
  const at = bytes.indexOf(floats(1, 2, 3));
  floats(1, 2, 4).copy(bytes, at);
  return bytes;
}

async function text(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await kit.run(["inspect", "--text", ...args]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout.trimEnd().split("\n");
}

const changed = (a: readonly string[], b: readonly string[]): string[] => b.filter((line) => !a.includes(line));

suite("inspect --text", () => {
  test("is the same for a copy elsewhere, and says nothing of paths and times", async () => {
    const path = onnx("one.onnx");
    mkdirSync(join(kit.folder, "elsewhere"), { recursive: true });
    cpSync(path, join(kit.folder, "elsewhere", "other.onnx"));
    const lines = await text(path);
    assert.deepEqual(await text(join(kit.folder, "elsewhere", "other.onnx")), lines);
    assert.ok(
      lines.every((line) => !line.includes(kit.folder) && !line.includes("one.onnx")),
      lines.join("\n"),
    );
  });

  test("differs by the tensor whose value changed", async () => {
    const before = await text(onnx("one.onnx"));
    const after = await text(onnx("two.onnx", retrained()));
    const [file, tensor, ...more] = changed(before, after);
    assert.match(file ?? "", /^sha256: [0-9a-f]{64}$/);
    assert.match(tensor ?? "", /^w {2}float32 \[3\] {2}12 bytes {2}sha256 [0-9a-f]{64}$/);
    assert.deepEqual(more, []);
  });

  test("of a version leaves out when it was made, and follows its model.yaml", async () => {
    const path = onnx("one.onnx");
    const save = (tag: string, ...more: string[]) => kit.json("save", tag, path, ...more);
    await save("add:v1", "--label", "stage=dev", "--metadata", "acc=0.5");
    await save("add:v2", "--label", "stage=prod", "--metadata", "acc=0.5");
    const [v1, v2] = [await text("add:v1"), await text("add:v2")];
    assert.deepEqual(changed(v1, v2), ["labels.stage: prod", "version: v2"]);
    assert.ok(
      v1.every((line) => !/\d\d:\d\d/.test(line) && !line.startsWith("creation_time")),
      v1.join("\n"),
    );
    assert.ok(v1.includes("metadata.acc: 0.5") && v1.some((line) => line.startsWith("saved_model.onnx  onnx  ")));
  });

  test("shows a damaged file as one, so that a diff of it is possible", async () => {
    const path = onnx("broken.onnx", addModel().subarray(0, 40));
    const [said, digest] = await text(path);
    assert.match(said ?? "", /^unreadable: is not a readable onnx file but /);
    assert.match(digest ?? "", /^sha256: [0-9a-f]{64}$/);
    const missing = await kit.run(["inspect", "--text", "./none.onnx"]);
    assert.equal(missing.code, 1);
  });

  test("is one form among others", async () => {
    const path = onnx("one.onnx");
    for (const more of [["-o", "json"], ["--digest"], ["--tensor", "w"]]) {
      assert.equal((await kit.run(["inspect", "--text", path, ...more])).code, 2, more.join(" "));
    }
  });

  test("makes git show what changed in a model, by the documented settings", () => {
    const repository = join(kit.folder, "repository");
    mkdirSync(repository);
    const git = (...args: string[]): string =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
        cwd: repository,
        encoding: "utf8",
        env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", HOME: kit.folder },
      });
    const recipe = recipeIn(readFileSync("docs/comparing.md", "utf8"));
    git("init", "-q");
    writeFileSync(join(repository, ".gitattributes"), recipe.attributes);
    for (const [key, value] of recipe.settings) {
      git(
        "config",
        key,
        value.replace(/^modelbench /, `${JSON.stringify(process.execPath)} ${JSON.stringify(kit.entry)} `),
      );
    }
    writeFileSync(join(repository, "add.onnx"), addModel());
    const values = { dtype: "float32", shape: [2], data: floats(1, 2) } as const;
    writeFileSync(join(repository, "array.npy"), writeNpy(values));
    git("add", ".");
    git("commit", "-qm", "first");
    writeFileSync(join(repository, "add.onnx"), retrained());
    appendFileSync(join(repository, "array.npy"), "trailing");
    const diff = git("diff");
    assert.doesNotMatch(diff, /Binary files/);
    assert.match(diff, /^-w {2}float32 \[3\] {2}12 bytes {2}sha256 .*\n\+w {2}float32 \[3\] {2}12 bytes {2}sha256 /m);
    assert.match(diff, /^ producer: maker 1\.0$/m);
    assert.match(git("log", "-p", "--", "array.npy"), /^\+\(root\) {2}float32 \[2\]/m);
  });
});

/** The two blocks of the documentation that a user copies. */
function recipeIn(markdown: string): { attributes: string; settings: [string, string][] } {
  const attributes = /```gitattributes\n(.*?)```/s.exec(markdown)?.[1] ?? "";
  const lines = [...markdown.matchAll(/^git config (?:--global )?(\S+) '?(.*?)'?$/gm)];
  assert.ok(attributes !== "" && lines.length > 0, "docs/comparing.md has the recipe");
  return { attributes, settings: lines.map(([, key = "", value = ""]) => [key, value]) };
}

test("inspect lists the tensors of a file that has more than a call has arguments", async () => {
  const count = 150_000;
  const entry = (i: number): string => `"w${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`;
  const header = Buffer.from(`{${Array.from({ length: count }, (_, i) => entry(i)).join(",")}}`);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  const path = onnx("many.safetensors", Buffer.concat([length, header, Buffer.alloc(count)]));
  const { code, stdout, stderr } = await kit.run(["inspect", path]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.match(stdout.trimEnd().split("\n").at(-1) ?? "", /^ {2}w149999 +uint8 \[1\]/);
});
