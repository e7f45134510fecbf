import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Consents } from "../../src/extension/python/consent";
import { runRefusal } from "../../src/extension/trust";
import { runCodeFacts } from "../../src/frameworks/codeFactsWork";
import { adapterFor } from "../../src/frameworks/registry";
import { type CliAnswer, type CliKit, openCliKit } from "../fixtures/cliKit";
import { BYPASSES } from "../fixtures/pickleBypasses";
import { missing } from "../optional";
import { PYTHON } from "./realStore";

const PICKLES = join(process.cwd(), "test/fixtures/hostile/pickle");

let kit: CliKit;
/** What any code that was not to run leaves behind. */
let canary: string;
/** A folder whose every interpreter leaves the canary. */
let traps: string;
before(async () => {
  kit = await openCliKit();
  canary = join(kit.folder, "canary");
  traps = join(kit.folder, "traps");
  mkdirSync(join(traps, "bin"), { recursive: true });
  for (const name of ["python", "python3", "python3.11", "bwrap"]) {
    const path = join(traps, "bin", name);
    writeFileSync(path, `#!/bin/sh\necho "$0" >> '${canary}'\n`);
    chmodSync(path, 0o755);
  }
});
after(() => kit.dispose());
beforeEach(() => {
  rmSync(canary, { force: true });
  rmSync(kit.home, { recursive: true, force: true });
});

/** Wherever an interpreter is looked for there is one that tells. */
function trapped(): Record<string, string> {
  const path = `${join(traps, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`;
  return { PATH: path, VIRTUAL_ENV: traps, MODELBENCH_PYTHON: "", MODELBENCH_ALLOW_CODE: "" };
}

/** A version with one pickle, as BentoML lays it out; another program put it there. */
function plant(name: string, content: Uint8Array, module = "bentoml.picklable_model", options = "{}"): string {
  const folder = join(kit.home, "models", name, "v1");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "saved_model.pkl"), content);
  writeFileSync(join(folder, "..", "latest"), "v1");
  const lines = [
    ...[`name: ${name}`, "version: v1", `module: ${module}`, "labels: {}", `options: ${options}`, "metadata: {}"],
    ...["context:", "  framework_name: cloudpickle", "  framework_versions: {}", "  bentoml_version: 1.4.39"],
    ...['  python_version: "3.11"', "signatures:", "  __call__:", "    batchable: false", "    batch_dim: [0, 0]"],
    ...["api_version: v1", 'creation_time: "2026-01-02T03:04:05.000006+00:00"', ""],
  ];
  writeFileSync(join(folder, "model.yaml"), lines.join("\n"));
  return folder;
}

/** A pickle that leaves the canary when it is loaded, and then is a function that doubles. */
function telling(): Buffer {
  const script = [
    "import cloudpickle, sys",
    "class Tell:",
    "    def __reduce__(self):",
    "        code = f\"open({sys.argv[1]!r}, 'a').write('loaded') and (lambda x: x * 2)\"",
    "        return eval, (code,)",
    "sys.stdout.buffer.write(cloudpickle.dumps(Tell()))",
  ].join("\n");
  const { status, stdout, stderr } = spawnSync(PYTHON, ["-I", "-c", script, canary]);
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

function plantAll(): string[] {
  const files = readdirSync(PICKLES).map((name) => [name, readFileSync(join(PICKLES, name))] as const);
  const all = [...files, ...BYPASSES];
  return all.map(([, content], i) => {
    plant(`hostile${i}`, content);
    return `hostile${i}:v1`;
  });
}

function error({ stderr }: CliAnswer): { code: string; message: string } {
  return JSON.parse(stderr).error;
}

const told = () => (existsSync(canary) ? readFileSync(canary, "utf8") : "");

test("P1 opening a folder, a store and the inspector on every hostile pickle starts no interpreter and leaves no canary", async () => {
  const tags = plantAll();
  assert.ok(tags.length > 40);
  const folder = join(kit.folder, "opened");
  cpSync(join(kit.home, "models/hostile0/v1"), folder, { recursive: true });
  for (const path of [join(folder, ".venv/bin"), join(folder, ".vscode")]) mkdirSync(path, { recursive: true });
  cpSync(join(traps, "bin/python"), join(folder, ".venv/bin/python"));
  const looks = [["list"], ["check"], ["inspect", "."], ...tags.map((tag) => ["inspect", tag])];
  const subjects = readdirSync(PICKLES).map((name) => ["inspect", join(PICKLES, name)]);
  for (const args of [...looks, ...subjects]) {
    const { stderr } = await kit.run([...args, "-o", "json"], { env: trapped(), cwd: folder });
    assert.doesNotMatch(stderr, /Traceback|unknown verb|usage/i, args.join(" "));
  }
  // What the editor looks at before it asks for consent.
  for (const tag of tags) await runCodeFacts({ home: kit.home, tag });
  assert.equal(told(), "");
});

test("P1 of all that is looked at no program is started but Node", { skip: missing("ptrace") }, () => {
  plantAll();
  const log = join(kit.folder, "execs");
  const looks = [["list"], ["inspect", "hostile0"], ["inspect", join(PICKLES, "eval.pkl")], ["run", "hostile0"]];
  for (const args of looks) {
    const command = [process.execPath, kit.entry, ...args, "--home", kit.home];
    const env = { ...process.env, ...trapped() };
    spawnSync("strace", ["-f", "-qq", "-e", "trace=execve", "-o", log, ...command], { env, timeout: 60_000 });
    const started = [...readFileSync(log, "utf8").matchAll(/execve\("([^"]*)"/g)].map(([, path]) => path);
    assert.ok(started.length > 0 && started.every((path) => path === process.execPath), started.join(" "));
  }
  assert.equal(told(), "");
});

async function runs(args: readonly string[], env: Record<string, string> = {}, cwd = kit.folder): Promise<CliAnswer> {
  const quiet = { MODELBENCH_ALLOW_CODE: "", MODELBENCH_PYTHON: PYTHON, VIRTUAL_ENV: "" };
  return kit.run(["run", ...args, "--input", "0=[1, 2]", "-o", "json"], { env: { ...quiet, ...env }, cwd });
}

async function refused(args: readonly string[], env: Record<string, string> = {}, cwd = kit.folder): Promise<string> {
  const answer = await runs(args, env, cwd);
  assert.deepEqual([answer.code, error(answer).code, answer.stdout], [1, "trust.required", ""], answer.stderr);
  assert.equal(told(), "");
  return /[0-9a-f]{64}/.exec(error(answer).message)?.[0] ?? "";
}

test("P2 a run without consent is refused, and the same pickle tells when it is allowed", async () => {
  plant("net", telling());
  const digest = await refused(["net"]);
  const allowed = await runs(["net", "--no-isolation"], { MODELBENCH_ALLOW_CODE: digest });
  assert.deepEqual([allowed.code, told()], [0, "loaded"], allowed.stderr);
});

test("P2 consent for another digest is refused: one byte, an option or a signature changed", async () => {
  const bytes = telling();
  const folder = plant("net", bytes);
  const digest = await refused(["net"]);
  const yaml = join(folder, "model.yaml");
  const text = readFileSync(yaml, "utf8");
  const pickle = Buffer.concat([bytes.subarray(0, -1), Buffer.from("N0.")]);
  for (const [path, content] of [
    [join(folder, "saved_model.pkl"), pickle],
    [join(folder, "more.py"), "import os"],
    [yaml, text.replace("options: {}", "options: {partial_kwargs: {__call__: {a: 1}}}")],
    [yaml, text.replace("batchable: false", "batchable: true")],
    [yaml, text.replace("module: bentoml.picklable_model", "module: bentoml.sklearn")],
  ] as const) {
    const before = existsSync(path) ? readFileSync(path) : undefined;
    writeFileSync(path, content);
    assert.notEqual(await refused(["net"], { MODELBENCH_ALLOW_CODE: digest }), digest);
    if (before === undefined) rmSync(path);
    else writeFileSync(path, before);
  }
  assert.equal(await refused(["net"]), digest);
});

test("P2 another machine's consent is refused", async () => {
  const kept = new Map<string, unknown>();
  const memory = {
    get: (key: string) => kept.get(key),
    update: async (key: string, value: unknown) => void kept.set(key, value),
  };
  const machine = (mark: string) => ({ read: () => mark, make: () => mark });
  const code = {
    digest: "d".repeat(64),
    tag: "net:v1",
    name: "net",
    isSavedHere: true,
    isIsolated: true,
    workspace: "file:///w",
  };
  const here = new Consents(memory, machine("this machine"));
  await here.allow(code);
  assert.equal(here.isAllowed(code), "digest");
  assert.equal(new Consents(memory, machine("another machine")).isAllowed(code), undefined);
});

test("P2 consent that a workspace wrote is refused, in files and in the model itself", async () => {
  plant("net", telling());
  const digest = await refused(["net"]);
  const workspace = join(kit.folder, "workspace");
  mkdirSync(join(workspace, ".modelbench"), { recursive: true });
  for (const name of [".env", ".modelbench/allowed", ".modelbenchrc", "modelbench.json"]) {
    writeFileSync(join(workspace, name), `MODELBENCH_ALLOW_CODE=${digest}\n`);
  }
  await refused(["net"], {}, workspace);
  const labelled = join(kit.home, "models/net/v1/model.yaml");
  const text = readFileSync(labelled, "utf8");
  writeFileSync(labelled, text.replace("labels: {}", `labels: {modelbench.allowedCode: ${digest}}`));
  assert.equal(await refused(["net"], {}, workspace), digest);
});

test("P2 a setting in .vscode/settings.json is refused, and no setting of the manifest gives consent", async () => {
  plant("net", telling());
  const digest = await refused(["net"]);
  const workspace = join(kit.folder, "settings");
  mkdirSync(join(workspace, ".vscode"), { recursive: true });
  const settings = {
    "modelbench.allowedCode": [digest],
    "modelbench.allowCode": true,
    "modelbench.python.allow": [digest],
  };
  writeFileSync(join(workspace, ".vscode/settings.json"), JSON.stringify(settings));
  await refused(["net"], {}, workspace);
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const known = Object.keys(manifest.contributes.configuration.properties);
  assert.deepEqual(
    known.filter((name) => /allow|consent|trust/i.test(name)),
    [],
  );
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  const python = known.filter((name) => name.startsWith("modelbench.python."));
  assert.ok(python.length >= 3);
  for (const name of python) assert.ok(restrictedConfigurations.includes(name), name);
});

test("P4 nothing that a workspace or a model's folder holds is loaded in the place of what Python has", async () => {
  const folder = plant("net", telling());
  const workspace = join(kit.folder, "planted");
  const tell = `open(${JSON.stringify(canary)}, "a").write(" " + __file__)\n`;
  for (const place of [workspace, join(workspace, "src"), join(folder, "src"), folder]) {
    mkdirSync(place, { recursive: true });
    for (const name of [
      "bentoml",
      "json",
      "cloudpickle",
      "numpy",
      "sitecustomize",
      "usercustomize",
      "os",
      "resource",
    ]) {
      writeFileSync(join(place, `${name}.py`), tell);
    }
    writeFileSync(join(place, "evil.pth"), `import sys; open(${JSON.stringify(canary)}, "a").write(" pth")\n`);
    writeFileSync(join(place, "python311._pth"), `.\nimport site\n`);
    writeFileSync(
      join(place, ".env"),
      `PYTHONPATH=${place}\nPYTHONSTARTUP=${place}/json.py\nMODELBENCH_PYTHON=${traps}/bin/python\n`,
    );
    writeFileSync(join(place, "pyvenv.cfg"), `home = ${join(traps, "bin")}\ninclude-system-site-packages = true\n`);
    writeFileSync(join(place, ".python-version"), "evil\n");
  }
  const env = {
    PYTHONPATH: workspace,
    PYTHONSTARTUP: join(workspace, "json.py"),
    PYTHONHOME: workspace,
    PYTHONUSERBASE: workspace,
    PYTHONINSPECT: "1",
    PYTHONBREAKPOINT: "json.x",
    LD_PRELOAD: "",
  };
  const projects = ["--python-path", workspace, "--python-path", join(workspace, "src")];
  for (const more of [["--no-isolation"], []]) {
    rmSync(canary, { force: true });
    const answer = await runs(["net", "--allow-code", ...projects, ...more], env, workspace);
    assert.equal(answer.code === 0 || error(answer).code === "run.failed", true, answer.stderr);
    // Kept apart it cannot even tell that it was loaded.
    const isApart = more.length === 0 && !missing("bubblewrap");
    assert.equal(told(), isApart ? "" : "loaded");
    if (!isApart) assert.deepEqual(JSON.parse(answer.stdout).outputs.output.data, [2, 4]);
  }
});

test("P5 whatever way around a scanner a pickle takes, its level stays code: consent is asked for every one", async () => {
  const tags = plantAll();
  plant("plain", Buffer.from([0x80, 4, 0x4b, 1, 0x2e]));
  for (const tag of [...tags, "plain:v1"]) await refused([tag], trapped());
  for (const module of ["bentoml.picklable_model", "bentoml.sklearn", "bentoml.flax", "bentoml.pytorch"]) {
    assert.equal(adapterFor(module)?.needs, "code", module);
    for (const origin of ["own", "sample", "file"] as const) {
      assert.equal(runRefusal((text) => text, module, false, origin)?.code, "trust.required", `${module} ${origin}`);
    }
  }
});

test("P5 no wording ever says that something is safe", () => {
  const folders = ["src", "webview", "l10n"].filter(existsSync);
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|py|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  assert.ok(files.length > 300);
  const claim = /\bsafe(ly|r|st|ty)?\b|\b(harmless|trustworthy|malware|virus-free)\b/i;
  const said = [...files, ...readdirSync(".").filter((name) => /^package\.nls.*\.json$/.test(name))].flatMap((path) =>
    textsIn(readFileSync(path, "utf8"))
      .filter((text) => claim.test(text))
      .map((text) => `${path}: ${text}`),
  );
  assert.deepEqual(said, []);
});

/** What stands in quotation marks outside of comments: everything a user may get to read is among it. */
function textsIn(source: string): string[] {
  const pattern =
    /\/\*[\s\S]*?\*\/|"""[\s\S]*?"""|(?:^|\s)(?:\/\/|#).*$|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/gm;
  return [...source.matchAll(pattern)]
    .map(([text]) => text.trim())
    .filter((text) => /^["'`]/.test(text) && !text.startsWith('"""'));
}
