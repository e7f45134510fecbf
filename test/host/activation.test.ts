import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import { activated, repository } from "./kit";

describe("activation", () => {
  it("takes at most 100 ms and loads no other bundle and nothing native", async () => {
    const { activatedInMs } = await activated();
    assert.ok(activatedInMs <= 100, `${activatedInMs} ms`);
    const ours = join(repository(), "dist");
    const loaded = Object.keys(require.cache).filter((path) => path.startsWith(ours) || path.includes("onnxruntime"));
    assert.deepEqual(loaded, [join(ours, "extension.cjs")]);
  });

  it("registers every contributed command", async () => {
    await activated();
    const extension = vscode.extensions.getExtension("modelbench.modelbench");
    const contributed: { command: string }[] = extension?.packageJSON.contributes.commands;
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      contributed.map(({ command }) => command).filter((command) => !registered.has(command)),
      [],
    );
  });
});
