import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { plant } from "../unit/store/storeKit";
import { activated, temporaryFolder, useStore } from "./kit";
import { until } from "./until";

/** VS Code's own variable, as settings hold it. */
const FOLDER = "$" + "{workspaceFolder}";

describe("a store per project", () => {
  const folder = temporaryFolder();
  const project = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const environment = process.env["BENTOML_HOME"];
  let api: TestApi;

  const settingsFile = join(project, ".vscode/settings.json");
  /** Writes the workspace's settings as an editor or a checkout does: not through our own code. */
  function settings(values: Readonly<Record<string, unknown>>): void {
    mkdirSync(dirname(settingsFile), { recursive: true });
    writeFileSync(settingsFile, JSON.stringify(values));
  }

  /** The own store is this one, for this reason, without a reload. */
  async function expectOwn(home: string, from: string | undefined): Promise<void> {
    const now = () => {
      const [own] = api.services.stores.all;
      return own?.store.home === home && own.from === from;
    };
    await until(`the store ${home} ${from}`, () => now() || undefined, 10_000);
  }

  before(async () => {
    api = await activated();
    assert.ok(environment, "the server gives the variable");
  });

  after(async () => {
    for (const path of [".env", "dev.env", ".vscode"]) rmSync(join(project, path), { recursive: true, force: true });
    await expectOwn(environment ?? "", "from BENTOML_HOME");
    folder.remove();
  });

  it("is what the environment says while nothing else does", () => expectOwn(environment ?? "", "from BENTOML_HOME"));

  it("follows the .env file of the folder as it comes, changes and goes", async () => {
    writeFileSync(join(project, ".env"), "export BENTOML_HOME=models # ours\n");
    await expectOwn(join(project, "models"), "from .env");
    writeFileSync(join(project, ".env"), `BASE=${folder.path}\nBENTOML_HOME="$BASE/b"\n`);
    await expectOwn(join(folder.path, "b"), "from .env");
    rmSync(join(project, ".env"));
    await expectOwn(environment ?? "", "from BENTOML_HOME");
  });

  it("follows the file that python.envFile names", async () => {
    writeFileSync(join(project, "dev.env"), "BENTOML_HOME=dev-store\n");
    settings({ "python.envFile": `${FOLDER}/dev.env` });
    await expectOwn(join(project, "dev-store"), "from dev.env");
    writeFileSync(join(project, "dev.env"), "BENTOML_HOME=other\n");
    await expectOwn(join(project, "other"), "from dev.env");
  });

  it("prefers what a terminal would get, and the setting to both", async () => {
    settings({ "terminal.integrated.env.linux": { BENTOML_HOME: `${FOLDER}/terminal` } });
    await expectOwn(join(project, "terminal"), "from the terminal's settings");
    settings({ "terminal.integrated.env.linux": { BENTOML_HOME: "x" }, "modelbench.storePath": "mine" });
    await expectOwn(join(project, "mine"), "from the settings");
  });

  it("is chosen for the workspace, written so that it can be shared", async () => {
    settings({});
    await expectOwn(environment ?? "", "from BENTOML_HOME");
    await api.services.storeSettings.choose(join(project, "chosen"));
    await expectOwn(join(project, "chosen"), "from the settings");
    assert.deepEqual(JSON.parse(readFileSync(settingsFile, "utf8")), { "modelbench.storePath": "chosen" });
    assert.ok(api.services.storeSettings.recent.includes(environment ?? ""));
    await api.services.storeSettings.choose(undefined);
    await expectOwn(environment ?? "", "from BENTOML_HOME");
  });

  it("a store chosen by the user gives way to none in the workspace", async () => {
    await useStore(api, join(folder.path, "users"));
    await api.services.storeSettings.choose(undefined);
    await expectOwn(environment ?? "", "from BENTOML_HOME");
    settings({});
    await expectOwn(join(folder.path, "users"), "from the settings");
    await useStore(api, "");
  });

  it("shows further homes as roots, works in them, and closes them", async () => {
    const team = join(folder.path, "team/bentoml");
    plant(team, "theirs", "v1");
    assert.ok(await api.services.storeSettings.add(team));
    const id = `home:${team}`;
    await until("the store to open", () => api.services.stores.all.find((open) => open.id === id));
    assert.equal(api.services.stores.all.at(-1)?.label, "team/bentoml");
    assert.equal((await api.services.catalog.ready(id))?.names.size, 1);
    await api.services.tree.reveal({ store: id, tag: "theirs:v1" });
    assert.equal(await api.services.storeSettings.add(team), false);
    plant(team, "theirs", "v2");
    const seen = () => api.services.catalog.find({ store: id, tag: "theirs:v2" });
    await until("the new version to be seen", () => {
      api.services.catalog.recheck();
      return seen();
    });
    await api.services.storeSettings.remove(team);
    await until("the store to close", () => (api.services.stores.all.length === 1 ? true : undefined));
    assert.equal(vscode.workspace.getConfiguration("modelbench").inspect("stores")?.globalValue, undefined);
  });
});
