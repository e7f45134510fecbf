import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { openRig, type Rig, shotsFolder } from "./rig";

const sample = "media/sample-store/models";

/** A window that asks whether it may trust its folder, and was not told so. */
const RESTRICTED = {
  "security.workspace.trust.enabled": true,
  "security.workspace.trust.startupPrompt": "never",
  "security.workspace.trust.banner": "never",
};

suite("Restricted Mode", () => {
  const programs = mkdtempSync(join(tmpdir(), "modelbench-programs-"));
  const started = join(programs, "started");
  let rig: Rig;

  /** A program that leaves a trace when anything starts it. */
  const plantPython = (folder: string): void => {
    mkdirSync(folder, { recursive: true });
    for (const name of ["python", "python3"]) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho "$0" >> '${started}'\n`, { mode: 0o755 });
    }
  };

  before(async () => {
    plantPython(programs);
    execFileSync(join(programs, "python3"));
    assert.ok(existsSync(started), "the trace of a program that ran");
    rmSync(started);
    const fill = (store: string): void => {
      for (const name of ["digits", "flagged_pickle"]) {
        cpSync(join(sample, name), join(store, "models", name), { recursive: true });
      }
      // What a folder that somebody sent might hold: stores of its own, everything that can name one, an interpreter.
      const folder = join(store, "../work");
      cpSync(join(sample, "iris_clf"), join(folder, "store/models/iris_clf"), { recursive: true });
      mkdirSync(join(folder, ".vscode"));
      const settings = {
        "modelbench.storePath": join(folder, "store"),
        "modelbench.stores": { theirs: "theirs" },
        "terminal.integrated.env.linux": { BENTOML_HOME: join(folder, "terminal") },
      };
      writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify(settings));
      writeFileSync(join(folder, ".env"), "BENTOML_HOME=store\n");
      plantPython(join(folder, ".venv/bin"));
    };
    const env = { PATH: `${programs}:${process.env["PATH"]}` };
    rig = await openRig(fill, { settings: RESTRICTED, env });
  });

  after(async () => {
    await rig?.close();
    rmSync(programs, { recursive: true, force: true });
  });

  afterEach(async (context) => {
    const path = join(shotsFolder("restricted"), `${context.name.replace(/\W+/g, "-")}.png`);
    await rig.workbench.page.screenshot({ path });
  });

  test("lists the user's own store, whatever stores the folder's settings and its .env name", async () => {
    const { workbench } = rig;
    await workbench.page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
    await workbench.openContainer("Modelbench");
    await workbench.row("digits").first().waitFor();
    await workbench.row("flagged_pickle").first().waitFor();
    assert.equal(await workbench.row("iris_clf").count(), 0);
    assert.equal(await workbench.row("theirs").count(), 0);
  });

  test("inspects and runs an ONNX model of the user's own store", async () => {
    const { workbench } = rig;
    const view = workbench.view();
    await workbench.command("Modelbench: Open Model");
    await workbench.pick("digits:v1");
    await view.getByTestId("section-tab-signatures").click();
    await view.getByTestId("signature-run").filter({ hasText: "[batch, 64]" }).waitFor();
    await view.getByTestId("section-tab-test").click();
    await view.getByTestId("run").click();
    await view
      .getByTestId("class-label")
      .filter({ hasText: /^\s*0\s*$/ })
      .waitFor();
    await workbench.command("View: Close All Editors");
  });

  test("inspects a model that needs Python, and offers no run of it", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Open Model");
    await workbench.pick("flagged_pickle:v1");
    const view = workbench.view();
    await view.getByTestId("labels").filter({ hasText: "shows a pickle" }).waitFor();
    await view.getByTestId("section-tab-test").click();
    await view.getByText("Models that run code do not run in Restricted Mode").first().waitFor();
    assert.equal(await view.getByTestId("run").count(), 0);
    await workbench.command("View: Close All Editors");
  });

  test("opens the sample store and runs its model", async () => {
    const { workbench } = rig;
    const view = workbench.view();
    await workbench.command("Modelbench: Open Sample Store");
    // Selected last of all: until then the tree may be drawn anew under the pointer.
    await workbench.page.locator(".sidebar .monaco-list-row.selected", { hasText: "v2" }).waitFor();
    await workbench.rowAction(workbench.row("v2").first(), "Test Model");
    await view.getByTestId("run").click();
    await view.getByTestId("class-label").filter({ hasText: "virginica" }).waitFor();
    await workbench.command("View: Close All Editors");
    await workbench.command("Modelbench: Show My Store");
    await workbench.row("iris_clf").first().waitFor({ state: "detached" });
  });

  test("takes the folder's settings once the folder is trusted, and has run no Python", async () => {
    const { workbench } = rig;
    await workbench.command("Workspaces: Manage Workspace Trust");
    await workbench.page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first().click();
    await workbench.row("iris_clf").first().waitFor();
    await workbench.row("theirs").first().waitFor();
    await workbench.row("digits").first().waitFor({ state: "detached" });
    assert.equal(existsSync(started), false);
  });
});
