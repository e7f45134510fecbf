import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import type { SaveFormInitial } from "../../src/extension/services";
import type { Answers } from "../unit/extension/fakeServices";
import { activated, answering, listedTags, repository, temporaryFolder, unblocked, useStore } from "./kit";

describe("the commands, end to end", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "store");
  const onnx = join(repository(), "media/sample-store/models/iris_clf/v1/saved_model.onnx");
  const inStore = (path: string): string => join(home, "models", path);
  let api: TestApi;

  before(async () => {
    api = await activated();
    await useStore(api, home);
  });

  after(async () => {
    await useStore(api, "");
    folder.remove();
  });

  /** Runs a command with a user who answers so, and gives back what they saw. */
  async function run(answers: Answers, command: string, ...args: unknown[]): Promise<string[]> {
    const { lines, restore } = answering(api, answers);
    try {
      await vscode.commands.executeCommand(`modelbench.${command}`, ...args);
    } finally {
      restore();
    }
    return lines;
  }

  const v1 = { store: "own", tag: "mine:v1" };

  it("saves an .onnx file through the form", async () => {
    const { pages } = api.services;
    let seen: SaveFormInitial | undefined;
    api.services.pages = {
      ...pages,
      openDetails: (ref, options) => pages.openDetails(ref, options),
      openTest: (ref) => pages.openTest(ref),
      openSaveForm: async (initial) => {
        seen = initial;
        return { ...initial.values, name: "mine", version: "v1", labels: { stage: "dev" }, metadata: { acc: "0.5" } };
      },
    };
    try {
      const lines = await run({ files: [onnx] }, "saveModel");
      assert.deepEqual(lines, ["progress: Saving mine", "inform: mine:v1 saved. [Test]"]);
    } finally {
      api.services.pages = pages;
    }
    assert.equal(seen?.values.name, "saved_model");
    assert.deepEqual(Object.keys(seen?.described ?? {}), ["run"]);
    assert.deepEqual(listedTags(api), ["mine:v1"]);
    assert.deepEqual(readFileSync(inStore("mine/v1/saved_model.onnx")), readFileSync(onnx));
    const yaml = readFileSync(inStore("mine/v1/model.yaml"), "utf8").split("\n");
    for (const line of ["module: bentoml.onnx", "  stage: dev", "  acc: 0.5"]) assert.ok(yaml.includes(line), line);
  });

  it("exports it, deletes it with one question, and imports it again", async () => {
    await unblocked(async (attempt) => {
      const target = join(folder.path, `mine${attempt}.bentomodel`);
      const exported = await run({ target, pick: () => "BentoML model" }, "exportModel", v1);
      assert.match(exported.at(-1) ?? "", /^offer: mine:v1 exported to .*\.bentomodel/);
      assert.ok(statSync(target).size > 0);
      const deleted = await run({ confirm: true }, "deleteModel", v1);
      assert.deepEqual(
        deleted.map((line) => line.split(":")[0]),
        ["confirm", "inform"],
      );
      assert.ok(!existsSync(inStore("mine")));
      const imported = await run({ files: [target], review: "accept" }, "importModel");
      assert.match(imported.at(-1) ?? "", /^offer: mine:v1 imported \(.*\)\. \[Open, Undo\]$/);
    });
    assert.deepEqual(listedTags(api), ["mine:v1"]);
  });

  it("asks once about an archive whose model is there, and Skip keeps it", async () => {
    const target = join(folder.path, "again.tar.gz");
    await run({ target, pick: () => "Tar archive, gzip" }, "exportModel", v1);
    const lines = await run({ files: [target], review: "accept", pick: () => "Skip" }, "importModel");
    assert.equal(lines.filter((line) => line.startsWith("pick:")).length, 1);
    assert.deepEqual(listedTags(api), ["mine:v1"]);
  });

  it("brings a deleted model back from the notification, and from the palette", async () => {
    await run({ confirm: true, presses: true }, "deleteModel", v1);
    assert.ok(existsSync(inStore("mine/v1/model.yaml")));
    await run({ confirm: true }, "deleteModel", v1);
    assert.ok(!existsSync(inStore("mine")));
    await run({ pickMany: (_, labels) => labels.slice(0, 1) }, "undoDelete");
    assert.ok(existsSync(inStore("mine/v1/model.yaml")));
    assert.equal(readFileSync(inStore("mine/latest"), "utf8"), "v1");
  });

  it("shows a failure in words and never throws at whoever ran the command", async () => {
    const lines = await run({ files: [onnx] }, "importModel");
    assert.equal(lines.filter((line) => line.startsWith("failure:")).length, 1, lines.join("\n"));
  });

  it("opens model.yaml as text and copies tags", async () => {
    await vscode.commands.executeCommand("modelbench.openModelYaml", v1);
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, inStore("mine/v1/model.yaml"));
    await vscode.commands.executeCommand("modelbench.copyTag", v1);
    assert.equal(await vscode.env.clipboard.readText(), "mine:v1");
  });
});
