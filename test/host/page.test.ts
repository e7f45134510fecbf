import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { OpenPages } from "../../src/extension/page/openPages";
import { STATE_SCHEMA } from "../../webview/protocol/savedState";
import { plant } from "../unit/store/storeKit";
import { activated, temporaryFolder, useStore } from "./kit";
import { until } from "./until";

describe("the pages", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "store");
  let api: TestApi;

  before(async () => {
    plant(home, "shown", "v1");
    plant(home, "shown", "v2");
    api = await activated();
    await useStore(api, home);
  });

  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    await useStore(api, "");
    folder.remove();
  });

  beforeEach(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  it("opens one details editor a model, named after its tag", async () => {
    await api.services.pages.openDetails({ store: "own", tag: "shown:v1" });
    await tabs("shown:v1");
    await api.services.pages.openDetails({ store: "own", tag: "shown:v2" });
    await api.services.pages.openDetails({ store: "own", tag: "shown:v1" }, { section: "test" });
    await tabs("shown:v1", "shown:v2");
    assert.equal(vscode.window.tabGroups.activeTabGroup.activeTab?.label, "shown:v1");
  });

  it("tests in the details editor when no code editor is active, in the panel when one is", async () => {
    await api.services.pages.openTest({ store: "own", tag: "shown:v1" });
    await tabs("shown:v1");
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    const document = await vscode.workspace.openTextDocument({ language: "python", content: "x = 1\n" });
    await vscode.window.showTextDocument(document);
    await api.services.pages.openTest({ store: "own", tag: "shown:v2" });
    await tabs();
    await vscode.commands.executeCommand("workbench.action.closePanel");
  });

  it("restores an editor from what its page had saved, and closes one whose state it does not know", async () => {
    const pages = ownPages(api);
    const restored = blankPanel();
    await pages.restore(restored, {
      schema: STATE_SCHEMA,
      store: "own",
      tag: "shown:v2",
      section: "test",
      edit: null,
      tensors: null,
      graph: null,
    });
    await tabs("shown:v2");
    assert.match(restored.webview.html, /Content-Security-Policy/);
    await pages.restore(blankPanel(), { schema: 99, tag: "shown:v1" });
    await tabs("shown:v2");
    await pages.dispose();
  });

  it("answers a save form that was closed with nothing", async () => {
    const values = {
      module: "bentoml.onnx",
      name: "new",
      version: undefined,
      labels: {},
      metadata: {},
      signatures: {},
    };
    const redraft = () => Promise.reject(new Error("not asked for"));
    const form = { files: [], modules: ["bentoml.onnx"], redraft, described: {} };
    const initial = { ...form, values, check: () => undefined };
    const answer = api.services.pages.openSaveForm(initial);
    await until("the form to open", () => detailsTabs("modelbench.save")[0]);
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    assert.equal(await answer, undefined);
  });
});

/** A second set of pages over the same parts, since a test cannot reload the window it runs in. */
function ownPages({ services }: TestApi): OpenPages {
  const extension = vscode.extensions.getExtension("modelbench.modelbench");
  assert.ok(extension);
  const kept = new Map<string, unknown>();
  return new OpenPages(services, {
    extensionUri: extension.extensionUri,
    asAbsolutePath: (path) => join(extension.extensionPath, path),
    workspaceState: {
      keys: () => [...kept.keys()],
      get: () => undefined,
      update: async (key, value) => void kept.set(key, value),
    },
  });
}

function blankPanel(): vscode.WebviewPanel {
  return vscode.window.createWebviewPanel("modelbench.details", "being restored", vscode.ViewColumn.Active);
}

/** Waits until exactly these details editors are open, whatever their order. */
async function tabs(...labels: string[]): Promise<void> {
  const wanted = labels.sort().join();
  await until(`the details editors ${wanted}`, () =>
    detailsTabs("modelbench.details")
      .map(({ label }) => label)
      .sort()
      .join() === wanted
      ? true
      : undefined,
  );
}

function detailsTabs(viewType: string): vscode.Tab[] {
  const all = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return all.filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(viewType));
}
