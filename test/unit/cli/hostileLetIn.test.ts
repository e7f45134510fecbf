import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { HostileArea } from "../../fixtures/hostileArea";
import { corpus, type HostileCase, importsOf } from "../../fixtures/hostileCorpus";
import { tempFolder } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => {
  kit.dispose();
  remove();
});

interface Answer {
  readonly code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the command writes
  readonly out: any;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** What is known of a model that was let in. */
interface LetIn {
  readonly imported: Answer;
  readonly model: Answer["out"];
  readonly files: readonly string[];
}

/**
 * Cases that may go either way and that we let in, each with what the corpus asks of who does. Every other such case
 * is refused; one that changes sides has to be judged anew.
 */
const LET_IN: Readonly<Record<string, (letIn: LetIn) => void>> = {
  "archive-path-tilde": ({ files }) => assert.ok(files.includes("~/hostile-canary-7-tilde"), files.join()),
  "archive-zip-as-bento": ({ files }) => assert.deepEqual(files, ["model.yaml", "saved_model.bin"]),
  "archive-gz-as-bento": ({ files }) => assert.deepEqual(files, ["model.yaml", "saved_model.bin"]),
  "yaml-binary-tag": ({ model }) => assert.equal(model.name, "hostile_model"),
  "yaml-pollute-proto": ({ model }) => assert.equal(model.polluted, undefined),
  "yaml-pollute-proto-merge": ({ model }) => assert.equal(model.polluted, undefined),
  "yaml-pollute-proto-alias": ({ model }) => assert.equal(model.polluted, undefined),
  "yaml-many-labels": ({ model }) => assert.equal(Object.keys(model.labels).length, 20_000),
  "yaml-xss-signature": ({ model }) => assert.match(Object.keys(model.signatures).join(), /</),
  "yaml-module-os": ({ model }) => assert.equal(model.module, "os"),
  "yaml-module-relative": ({ model }) => assert.equal(model.module, "..evil"),
  "yaml-module-int": ({ model }) => assert.equal(String(model.module), "7"),
  "yaml-time-9999": ({ imported }) => {
    assert.deepEqual(
      imported.warnings.map(({ code }) => code),
      ["time.future"],
    );
    assert.match(imported.warnings[0]?.message ?? "", /hostile_model:v1 .*9999-12-31.* latest/);
  },
  "yaml-labels-nested": ({ model }) => assert.ok(Object.values(model.labels).every((value) => value !== null)),
};

async function ask({ home, work }: HostileArea, ...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await kit.run([...args, "-o", "json"], { cwd: work, env: { BENTOML_HOME: home } });
  assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]/u);
  const { error, warnings = [] } = stderr === "" ? {} : JSON.parse(stderr);
  return { code, out: stdout === "" ? undefined : JSON.parse(stdout), error, warnings };
}

const undecided = corpus().filter(({ verdict, group }) => verdict === "either" && /archive|yaml/.test(group));

for (const hostile of undecided) {
  const check = LET_IN[hostile.id];
  test(`${hostile.id} is ${check ? `let in as: ${hostile.ifAccepted ?? "any other"}` : "refused"}`, async () => {
    const area = areaOf(hostile);
    try {
      const imported = await ask(area, "import", area.source);
      assert.equal(imported.error === undefined, check !== undefined, imported.error?.message);
      if (!check) return;
      const model = (await ask(area, "get", "hostile_model:v1")).out;
      const version = join(area.home, "models", "hostile_model", "v1");
      const paths = readdirSync(version, { recursive: true, withFileTypes: true, encoding: "utf8" });
      const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      check({ imported, model, files: files.map((path) => path.slice(version.length + 1)).sort() });
      assert.equal((await ask(area, "list")).out.length, 1);
      const run = await ask(area, "run", "hostile_model:v1");
      assert.notEqual(run.code, 0, "a weight file of zeros and a module of anybody's ran");
      area.assertUnharmed({ tag: "hostile_model:v1", said: [] }, hostile.watch);
    } finally {
      area.remove();
    }
  });
}

function areaOf(hostile: HostileCase): HostileArea {
  const [first] = importsOf(hostile);
  assert.ok(first);
  return new HostileArea(folder, first.fileName, first.bytes);
}
