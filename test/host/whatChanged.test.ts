import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { addModel, floats } from "../fixtures/onnxParts";
import { activated, temporaryFolder } from "./kit";
import { until } from "./until";

interface GitApi {
  openRepository(root: vscode.Uri): Promise<unknown>;
  toGitUri(uri: vscode.Uri, ref: string): vscode.Uri;
}

/** The two texts of the diff that is in front. */
async function diffInFront(): Promise<{ before: string; after: string; label: string } | undefined> {
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  if (!(tab?.input instanceof vscode.TabInputTextDiff)) return undefined;
  const [before, after] = await Promise.all(
    [tab.input.original, tab.input.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
  );
  return before && after && { before: before.getText(), after: after.getText(), label: tab.label };
}

async function configureGit(settings: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    await vscode.workspace.getConfiguration("git").update(name, value, vscode.ConfigurationTarget.Global);
  }
}

describe("what changed in a model file", () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "add.onnx");
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder.path });
  };

  before(async () => {
    await activated();
    // A repository beside the workspace is taken for one above it, which older versions open only when told to.
    await configureGit({ enabled: true, openRepositoryInParentFolders: "always" });
    git("init", "-q");
    writeFileSync(path, addModel());
    git("add", ".");
    git("commit", "-qm", "first");
  });
  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    await configureGit({ enabled: undefined, openRepositoryInParentFolders: undefined });
    folder.remove();
  });

  it("is a diff of text against the last commit, tensor by tensor, that follows the file", async () => {
    const extension = vscode.extensions.getExtension<{ getAPI(version: 1): GitApi }>("vscode.git");
    assert.ok(extension, "the git extension is there");
    const exported = await extension.activate();
    const api = await until("git", () => {
      try {
        return exported.getAPI(1);
      } catch {
        return undefined;
      }
    });
    await api.openRepository(vscode.Uri.file(folder.path));
    const changed = Buffer.from(addModel());
    floats(1, 2, 4).copy(changed, changed.indexOf(floats(1, 2, 3)));
    writeFileSync(path, changed);
    await vscode.commands.executeCommand("modelbench.showWhatChanged", { resourceUri: vscode.Uri.file(path) });
    const shown = await until("the diff", async () => {
      const texts = await diffInFront();
      return texts?.before && texts.after ? texts : undefined;
    });
    assert.equal(shown.label, "add.onnx (What Changed)");
    const lines = shown.after.split("\n").filter((line) => !shown.before.includes(line));
    assert.deepEqual(
      lines.map((line) => line.slice(0, 18)),
      [shown.after.split("\n")[1]?.slice(0, 18), "w  float32 [3]  12"],
    );
    writeFileSync(path, addModel());
    await until("the text to follow the file", async () => {
      const texts = await diffInFront();
      return texts?.before === texts?.after ? true : undefined;
    });
  });

  it("takes the two sides that a row of Source Control compares, and a file that is not there is empty", async () => {
    const gone = vscode.Uri.file(join(folder.path, "gone.npy"));
    const sides = { command: "vscode.diff", arguments: [gone, vscode.Uri.file(path)] };
    await vscode.commands.executeCommand("modelbench.showWhatChanged", {
      resourceUri: vscode.Uri.file(path),
      command: sides,
    });
    const shown = await until("the diff", async () => {
      const texts = await diffInFront();
      return texts?.before === "" && texts.after ? texts : undefined;
    });
    assert.match(shown.after, /^format: onnx\n/);
  });
});
