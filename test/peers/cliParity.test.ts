import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CliAnswer, type CliKit, openCliKit } from "../fixtures/cliKit";
import { plant } from "../unit/store/storeKit";
import { Oracle } from "./oracle";

// The real command draws and wraps by these.
Object.assign(process.env, { COLUMNS: "400", NO_COLOR: "1", TZ: "Asia/Tokyo" });
const oracle = new Oracle();
const temp = mkdtempSync(join(tmpdir(), "modelbench-parity-"));
let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => {
  oracle.dispose();
  kit.dispose();
  rmSync(temp, { recursive: true, force: true });
});

interface Theirs {
  readonly exit: number;
  readonly output: string;
  readonly errors: string;
}

let homes = 0;
/** A store with two names, three versions of one of them, and a bento that uses the other. */
function newHome(): string {
  homes += 1;
  const home = join(temp, `home${homes}`);
  plant(home, "iris", "v1", "2024-01-02T03:04:05.678901+00:00");
  plant(home, "iris", "v10", "2024-01-04T03:04:05+00:00");
  plant(home, "iris", "v2", "2024-01-03T23:59:59.5+09:00");
  writeFileSync(join(plant(home, "big", "b1", "2024-06-01T00:00:00+00:00"), "w.bin"), Buffer.alloc(3_000_000));
  writeFileSync(join(home, "models/iris/latest"), "v10");
  writeFileSync(join(home, "models/big/latest"), "b1");
  const bento = join(home, "bentos/svc/s1");
  mkdirSync(bento, { recursive: true });
  const model = "- tag: big:b1\n  module: ''\n  creation_time: '2024-06-01T00:00:00+00:00'\n";
  writeFileSync(
    join(bento, "bento.yaml"),
    `service: svc:svc\nname: svc\nversion: s1\nbentoml_version: 1.4.39\ncreation_time: '2024-06-01T00:00:00+00:00'\nmodels:\n${model}`,
  );
  return home;
}

async function real(home: string, args: readonly string[], input = ""): Promise<Theirs> {
  const request = { home, arguments: ["models", ...args], input };
  const { value, error } = await oracle.ask<Theirs>("command", request, 60_000);
  assert.ok(value, error);
  return value;
}

const ours = (home: string, args: readonly string[]): Promise<CliAnswer> => kit.run([...args, "--home", home]);

/** Commands that both understand, with the words that differ between them. */
const SAME: { readonly args: string[]; readonly theirs?: string[]; readonly exit: number }[] = [
  { args: ["list"], exit: 0 },
  { args: ["list", "iris"], exit: 0 },
  { args: ["list", "iris:v1"], exit: 0 },
  { args: ["list", "iris:v"], exit: 0 },
  { args: ["list", "iris:latest", "-o", "json"], exit: 0 },
  { args: ["list", "--output", "json"], exit: 0 },
  { args: ["list", "--output=table"], exit: 0 },
  { args: ["list", "-q"], exit: 0 },
  { args: ["list", "--quiet", "--do-not-track", "--verbose"], exit: 0 },
  { args: ["list", "--context", "none"], exit: 0 },
  { args: ["list", "none"], exit: 1 },
  { args: ["list", "none", "-o", "json"], exit: 1 },
  { args: ["list", "-o", "xml"], exit: 2 },
  { args: ["list", "a", "b"], exit: 2 },
  { args: ["get", "iris", "-o", "path"], exit: 0 },
  { args: ["get", "iris:latest", "-o", "json"], exit: 0 },
  { args: ["get", "iris:v1", "-ojson"], exit: 0 },
  { args: ["get", "iris:v2", "--output=json"], exit: 0 },
  { args: ["get", "IRIS:v1", "-o", "json"], exit: 0 },
  { args: ["get", "big:b", "-o", "path"], exit: 0 },
  { args: ["get", "iris:v", "-o", "path"], exit: 1 },
  { args: ["get", "none"], exit: 1 },
  { args: ["get", "a:b:c"], exit: 1 },
  { args: ["get"], exit: 2 },
  { args: ["get", "iris", "--nope"], exit: 2 },
  { args: ["delete", "iris:v1", "-y"], exit: 0 },
  { args: ["delete", "iris:v1,iris:v2", "--yes"], exit: 0 },
  { args: ["delete", "iris:v1, iris:v2", "--assume-yes"], exit: 0 },
  { args: ["delete", "iris:v1", "iris:v2", "-y"], exit: 0 },
  { args: ["delete", "iris", "-y"], exit: 0 },
  { args: ["delete", "iris:latest", "-y"], exit: 0 },
  { args: ["delete", "none", "-y"], exit: 1 },
  { args: ["delete", "iris:v9", "-y"], exit: 1 },
  { args: ["delete", "big:b1", "-y"], exit: 1 },
  { args: ["delete"], exit: 2 },
  { args: ["export", "iris:v1", join(temp, "a.bentomodel")], exit: 0 },
  { args: ["export", "iris", join(temp, "b.tar.gz")], exit: 0 },
  { args: ["export", "iris:v1", `${temp}/folder/`], exit: 0 },
  { args: ["export", "none"], exit: 1 },
  { args: ["import", join(temp, "none.bentomodel")], exit: 1 },
  { args: ["import"], exit: 2 },
];

test("every command that both have answers with the same lines, the same exit code and the same store", async () => {
  mkdirSync(join(temp, "folder"));
  for (const { args, exit } of SAME) {
    const home = newHome();
    const their = await real(home, args);
    const theirModels = modelsIn(home);
    for (const made of ["a.bentomodel", "b.tar.gz", "folder/iris-v1.bentomodel"])
      rmSync(join(temp, made), { force: true });
    rmSync(home, { recursive: true, force: true });
    homes -= 1;
    assert.equal(newHome(), home);
    const our = await ours(home, args);
    assert.equal(their.exit, exit, `${args.join(" ")}: ${their.output}${their.errors}`);
    assert.equal(our.code, exit, `${args.join(" ")}: ${our.stderr}`);
    if (exit === 0 || !args.includes("json")) assert.equal(our.stdout, their.output, args.join(" "));
    assert.deepEqual(modelsIn(home), theirModels, args.join(" "));
    if (exit === 0) assert.doesNotMatch(our.stderr, /error/, args.join(" "));
  }
});

test("what the real one exports and says of it we import with its words, and the other way round", async () => {
  const [from, ourTarget, theirTarget] = [newHome(), join(temp, "ourTarget"), join(temp, "theirTarget")];
  mkdirSync(join(theirTarget, "models"), { recursive: true });
  mkdirSync(join(theirTarget, "bentos"), { recursive: true });
  const archive = join(temp, "both.bentomodel");
  const exported = await ours(from, ["export", "iris:v1", archive]);
  assert.equal(exported.stdout, `Model(tag="iris:v1") exported to ${archive}.\n`);
  const their = await real(theirTarget, ["import", archive]);
  assert.equal(their.exit, 0, their.errors);
  const our = await ours(ourTarget, ["import", archive]);
  assert.equal(our.stdout, their.output);
  assert.deepEqual(modelsIn(ourTarget), modelsIn(theirTarget));
  // A second time it is there already: both fail and change nothing.
  assert.equal((await real(theirTarget, ["import", archive])).exit, 1);
  assert.equal((await ours(ourTarget, ["import", archive])).code, 1);
});

test("a model that a bento uses is refused in the same words, by a bare name too, and is still there", async () => {
  const home = newHome();
  const { errors } = await real(home, ["delete", "big:b1", "-y"]);
  const their = /Model \S+ is being used by the following bentos and can't be deleted:/.exec(errors)?.[0] ?? "";
  assert.notEqual(their, "");
  for (const target of ["big:b1", "big", "iris:v1,big:b1"]) {
    const { code, stdout, stderr } = await ours(home, ["delete", target, "-y"]);
    assert.deepEqual([code, stdout], [1, ""], target);
    assert.ok(stderr.startsWith(`error: ${their} svc:s1.`), stderr);
    assert.match(stderr, /bentoml delete svc:s1/);
  }
  // The real one has deleted what stood before the used one; ours looks at all of them first.
  assert.deepEqual(modelsIn(home)["iris"], ["latest", "v1", "v10", "v2"]);
});

/** What a person at a terminal sees and types. */
async function typed(home: string, keys: string, ...args: string[]): Promise<{ exit: number; output: string }> {
  const command = [process.execPath, kit.entry, ...args, "--home", home];
  const { value, error } = await oracle.ask<Theirs>("terminal", { command, typed: keys, env: {} }, 30_000);
  assert.ok(value, error);
  return value;
}

test("without -y a person is asked in the real one's words; no keeps everything, an ended input aborts", async () => {
  const home = newHome();
  const their = await real(home, ["delete", "iris:v1"], "n\n");
  const [question = ""] = /^.*\[y\/N\]: /.exec(their.output) ?? [];
  assert.equal(question, "delete model iris:v1? [y/N]: ");
  for (const [keys, exit] of [
    ["n\n", 0],
    ["\n", 0],
    ["perhaps\nno\n", 0],
    ["\u0004", 1],
  ] as const) {
    const shown = await typed(home, keys, "delete", "iris:v1");
    assert.ok(shown.output.startsWith(question), shown.output);
    assert.equal(shown.exit, exit, shown.output);
    assert.ok(existsSync(join(home, "models/iris/v1")), JSON.stringify(keys));
    if (exit === 1) assert.match(shown.output, /Aborted!/);
  }
  const ended = await real(home, ["delete", "iris:v1"]);
  assert.equal(ended.exit, 1);
  assert.match(ended.errors + ended.output, /Aborted!/);
  const yes = await typed(home, "y\n", "delete", "iris:v1");
  assert.match(yes.output, /Model\(tag="iris:v1"\) deleted\.\n/);
  assert.match(yes.output, /Undo: modelbench restore iris:v1/);
  assert.deepEqual(modelsIn(home)["iris"], ["latest", "v10", "v2"]);
});

test("a bare name lists all its versions and asks once, where the real one asks for each", async () => {
  const home = newHome();
  const { exit, output } = await typed(home, "n\n", "delete", "iris");
  assert.equal(exit, 0);
  assert.ok(output.startsWith("  iris:v1\n  iris:v10\n  iris:v2\ndelete these 3 models? [y/N]: "), output);
  const each = await real(home, ["delete", "iris"], "n\nn\nn\n");
  assert.equal(each.output.match(/delete model/g)?.length, 3);
  assert.deepEqual(modelsIn(home)["iris"], ["latest", "v1", "v10", "v2"]);
});

test("where the two differ on purpose they do so as written here", async () => {
  const home = newHome();
  // A beginning is enough for the real one to delete; for ours a slip of the finger must not be.
  plant(home, "iris", "abc");
  assert.equal((await ours(home, ["delete", "iris:ab", "-y"])).code, 1);
  assert.equal((await real(home, ["delete", "iris:ab", "-y"])).exit, 0);
  assert.equal(existsSync(join(home, "models/iris/abc")), false);
  // A relative destination of the real one ends up below the root of the file system; ours starts where it is called.
  const relative = await ours(home, ["export", "iris:v1", `out/parity-${process.pid}.tar`]);
  const made = join(process.cwd(), `out/parity-${process.pid}.tar`);
  assert.equal(relative.stdout, `Model(tag="iris:v1") exported to ${made}.\n`);
  rmSync(made);
  // Without a terminal the real one reads an answer from a pipe that nobody typed.
  assert.equal((await ours(home, ["delete", "iris:v2"])).code, 2);
  // Long lines are not cut at the width of a terminal: what reads them may not be one.
  const narrow = await kit.run(["list", "--home", home], { env: { COLUMNS: "20" } });
  assert.equal(narrow.stdout, (await ours(home, ["list"])).stdout);
  // A broken neighbour fails the real list whole.
  mkdirSync(join(home, "models/iris/half"));
  assert.equal((await real(home, ["list"])).exit, 1);
  assert.equal((await ours(home, ["list"])).code, 0);
});

test("every verb explains itself with a line that can be typed, and the program says its version", async () => {
  const { stdout } = await kit.run(["--version"]);
  assert.match(stdout, /^modelbench, version \d+\.\d+\.\d+\n$/);
  const verbs = "list get inspect save import export delete restore trash check run edit copy clean pin unpin";
  for (const verb of verbs.split(" ")) {
    for (const flag of ["--help", "-h"]) {
      const { code, stdout: help } = await kit.run([verb, flag]);
      assert.equal(code, 0, verb);
      assert.match(
        help,
        new RegExp(`^Usage: modelbench ${verb} .*\n(\\S.*:\n( {2}.*\n)+)*\nExample: modelbench ${verb} .*\n$`),
        verb,
      );
    }
  }
});

/** What `models/` holds: the entries of every name. */
function modelsIn(home: string): Record<string, string[]> {
  const models = join(home, "models");
  return Object.fromEntries(readdirSync(models).map((name) => [name, readdirSync(join(models, name)).sort()]));
}
