import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { openRig, type Rig } from "./rig";
import type { Workbench } from "./workbench";

/** What the product promises for a store of a thousand models. */
const LIMIT_MS = 100;

/** How many windows are tried at most. */
const WINDOWS = 6;

/** A store as BentoML lays it out, with models of one small file. */
function fillStore(home: string, names: number, versions: number): void {
  for (let name = 0; name < names; name++) {
    const folder = join(home, "models", `model_${name}`);
    for (let version = 0; version < versions; version++) {
      mkdirSync(join(folder, `v${version}`), { recursive: true });
      writeFileSync(join(folder, `v${version}`, "model.yaml"), modelYaml(`model_${name}`, `v${version}`));
    }
    writeFileSync(join(folder, "latest"), `v${versions - 1}`);
  }
}

function modelYaml(name: string, version: string): string {
  return `name: ${name}
version: ${version}
module: bentoml.onnx
labels: {}
options: {}
metadata: {}
context:
  framework_name: onnx
  framework_versions: {}
  bentoml_version: 1.4.39
  python_version: 3.11.7
signatures:
  run:
    batchable: false
api_version: v2
creation_time: '2026-11-20T08:00:00.000000+00:00'
`;
}

/** The time in the row of the extension. */
async function printedActivationMs(workbench: Workbench): Promise<number> {
  await workbench.command("Developer: Show Running Extensions");
  const row = workbench.page.locator(".runtime-extensions-editor .extension", { hasText: "modelbench" }).first();
  await row.waitFor();
  const text = (await row.textContent()) ?? "";
  const [, printed] = /Activation: (\d+)ms/.exec(text) ?? [];
  assert.ok(printed, `no activation time in: ${text}`);
  return Number(printed);
}

suite("a store of 1,000 models", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig((home) => fillStore(home, 100, 10));
  });
  after(() => rig.close());

  test("is listed in the tree", async () => {
    await rig.workbench.openContainer("Modelbench");
    await rig.workbench.row("model_0").first().waitFor();
  });

  test(`lets the extension activate within ${LIMIT_MS} ms, as Show Running Extensions prints it`, async (context) => {
    const seen: number[] = [];
    // Other work on the machine only ever adds, so the least of a few windows is what it takes.
    while (seen.length < WINDOWS && Math.min(...seen) > LIMIT_MS) {
      await rig.workbench.page.reload();
      await rig.workbench.row("model_0").first().waitFor();
      seen.push(await printedActivationMs(rig.workbench));
    }
    context.diagnostic(`activation as printed: ${seen.join(", ")} ms`);
    assert.ok(Math.min(...seen) <= LIMIT_MS, `activation took ${seen.join(", ")} ms`);
  });

  test("asked the network for nothing but VS Code's own extension gallery", () => {
    const hosts = new Set(rig.refused.map((url) => new URL(url).host));
    hosts.delete("open-vsx.org");
    assert.deepEqual([...hosts], []);
  });
});
