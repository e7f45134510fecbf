import assert from "node:assert/strict";
import { homedir } from "node:os";
import * as vscode from "vscode";

/** What the product needs from its host. A failure here means the host or the rig, not the extension. */
describe("the extension host", () => {
  it("is one of the two VS Code versions that the tests are for", () => {
    const wanted = { current: /^1\.139\./, minimum: /^1\.100\./ }[process.env["MODELBENCH_SERVER"] ?? ""] ?? /^1\./;
    assert.match(vscode.version, wanted);
  });

  it("has a home of its own in the server, so that nobody's store is touched", function () {
    if (process.env["MODELBENCH_SERVER"] === "desktop") this.skip();
    assert.match(homedir(), /modelbench-vscode-/);
    assert.ok(process.env["BENTOML_HOME"]?.startsWith(homedir()));
  });
});
