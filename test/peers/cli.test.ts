import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CliKit, openCliKit } from "../fixtures/cliKit";
import { Oracle } from "./oracle";
import { realStoreCopy } from "./realStore";

// The real command cuts lines of YAML at the width of the terminal.
process.env["COLUMNS"] = "1000";
const oracle = new Oracle();
let kit: CliKit;
let store: ReturnType<typeof realStoreCopy>;
before(async () => {
  kit = await openCliKit();
  store = realStoreCopy();
});
after(() => {
  oracle.dispose();
  store.remove();
  kit.dispose();
});

/** The real command in the long-lived Python: its exit code and what it printed. */
async function real(...args: string[]): Promise<{ exit: number; output: string }> {
  const request = { home: store.home, arguments: ["models", ...args] };
  const { value, error } = await oracle.ask<{ exit: number; output: string }>("command", request, 60_000);
  assert.ok(value, error);
  return value;
}

async function theirs(...args: string[]): Promise<string> {
  const { exit, output } = await real(...args);
  assert.equal(exit, 0, output);
  return output;
}

/** What ours prints on the same store. */
async function ours(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kit.run([...args, "--home", store.home]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout;
}

test("list prints what the real command prints, byte for byte, of a store that the real one made", async () => {
  assert.equal(await ours("list", "-o", "json"), await theirs("list", "-o", "json"));
  assert.equal(await ours("list", "iris_clf", "-o", "json"), await theirs("list", "iris_clf", "-o", "json"));
});

test("get prints what the real command prints, byte for byte, for every model of that store", async () => {
  const tags = Object.keys(store.manifest.models);
  assert.ok(tags.length >= 10, `${tags.length} models`);
  for (const tag of tags) {
    assert.equal(await ours("get", tag, "-o", "json"), await theirs("get", tag, "-o", "json"), tag);
  }
});

/** The real command fills every line of YAML up to the width of the terminal, and ends with an empty one. */
function unfilled(text: string): string {
  return text.replace(/ +$/gm, "").replace(/\n\n$/, "\n");
}

test("YAML output is the real command's line for line, and so is the path", async () => {
  assert.equal(await ours("list", "-o", "yaml"), unfilled(await theirs("list", "-o", "yaml")));
  for (const tag of Object.keys(store.manifest.models)) {
    const yaml = await ours("get", tag, "-o", "yaml");
    assert.equal(yaml, unfilled(await theirs("get", tag, "-o", "yaml")), tag);
    assert.equal(await ours("get", tag), yaml, tag);
    assert.equal(await ours("get", tag, "-o", "path"), await theirs("get", tag, "-o", "path"), tag);
  }
});

test("list and get still answer beside broken neighbours that make the real list fail whole", async () => {
  const whole = await ours("list", "-o", "json");
  const models = join(store.home, "models");
  mkdirSync(join(models, "half_saved", "v1"), { recursive: true });
  mkdirSync(join(models, "Upper", "v1"), { recursive: true });
  mkdirSync(join(models, "iris_clf", "torn"));
  writeFileSync(join(models, "iris_clf", "torn", "model.yaml"), "name: [unclosed\n");
  const { exit } = await real("list", "-o", "json");
  assert.notEqual(exit, 0, "the real list was expected to fail beside these");
  const { code, stdout, stderr } = await kit.run(["list", "-o", "json", "--home", store.home]);
  assert.equal(code, 0);
  assert.equal(stdout, whole);
  assert.equal((JSON.parse(stderr) as { warnings: unknown[] }).warnings.length, 3);
  assert.equal((await kit.run(["get", "iris_clf", "--home", store.home])).code, 0);
});
