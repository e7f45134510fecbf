import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { root } from "./sourceTree";

const imports = "lint/style/noRestrictedImports";

/** Per planted file: its text and the one rule that has to object; undefined = nothing may. */
const planted: readonly (readonly [path: string, text: string, rule: string | undefined])[] = [
  ["src/base/node.ts", `import { sep } from "node:path"; export const a = sep;`, imports],
  ["src/formats/up.ts", `import type { X } from "../store/x"; export type A = X;`, imports],
  ["src/formats/down.ts", `import { x } from "../base/x"; export const a = x;`, undefined],
  ["src/formats/tensors.ts", `import { x } from "../tensors/x"; export const a = x;`, imports],
  ["src/tensors/up.ts", `import { x } from "../store/x"; export const a = x;`, imports],
  ["src/tensors/down.ts", `import { x } from "../formats/x"; export const a = x;`, undefined],
  ["src/store/code.ts", `import type { Uri } from "vscode"; export type A = Uri;`, imports],
  ["src/store/lazy.ts", `export const a = () => import("vscode");`, imports],
  ["src/store/old.ts", `const v = require("vscode"); export const a = v;`, imports],
  ["src/store/archive/up.ts", `import { x } from "../../frameworks/x"; export const a = x;`, imports],
  ["src/frameworks/native.ts", `import { x } from "onnxruntime-node"; export const a = x;`, imports],
  ["src/frameworks/onnx/run.ts", `import { x } from "onnxruntime-node"; export const a = x;`, undefined],
  ["src/frameworks/onnx/up.ts", `import { x } from "../../runner/x"; export const a = x;`, imports],
  ["src/jobs/up.ts", `import { x } from "../runner/x"; export const a = x;`, imports],
  ["src/runner/up.ts", `import { x } from "../cli/x"; export const a = x;`, imports],
  ["src/cli/side.ts", `import { x } from "../extension/x"; export const a = x;`, imports],
  ["src/extension/side.ts", `import { x } from "../cli/x"; export const a = x;`, imports],
  ["src/extension/page.ts", `import { x } from "../../webview/ui/x"; export const a = x;`, imports],
  ["src/extension/commands/code.ts", `import { window } from "vscode"; export const a = window;`, imports],
  ["webview/protocol/up.ts", `import { x } from "../../src/base/x"; export const a = x;`, imports],
  ["webview/protocol/library.ts", `import { h } from "preact"; export const a = h;`, imports],
  ["webview/ui/host.ts", `import { x } from "../../src/base/x"; export const a = x;`, imports],
  ["webview/ui/node.ts", `import { sep } from "node:path"; export const a = sep;`, imports],
  ["webview/ui/toolkit.ts", `import { x } from "@vscode/webview-ui-toolkit"; export const a = x;`, imports],
  ["webview/ui/kit.ts", `import { x } from "@vscode/webview-ui-toolkit"; export const a = x;`, undefined],
  [
    "webview/ui/markup.tsx",
    `export const a = <p dangerouslySetInnerHTML={{ __html: "" }} />;`,
    "lint/security/noDangerouslySetInnerHtml",
  ],
  ["src/cli/one.ts", `import { b } from "./two"; export const a = () => b;`, "lint/suspicious/noImportCycles"],
  ["src/cli/two.ts", `import { a } from "./one"; export const b = () => a;`, "lint/suspicious/noImportCycles"],
  ["src/cli/whole.ts", "export default 1;", "lint/style/noDefaultExport"],
  ["src/cli/snake_case.ts", "export const a = 1;", "lint/style/useFilenamingConvention"],
  ["src/cli/any.ts", "export const a = (x: any) => x;", "lint/suspicious/noExplicitAny"],
  [
    "test/unit/focus.test.ts",
    `import test from "node:test"; test.only("x", () => {});`,
    "lint/suspicious/noFocusedTests",
  ],
];

interface Diagnostic {
  readonly category: string;
  readonly severity: string;
  readonly location: { readonly path: string };
}

/** Biome's errors over the planted files in a copy of the repository's set-up, as `path rule`. */
function lintPlanted(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-lint-"));
  try {
    copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
    for (const [path, text] of planted) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const biome = join(root, "node_modules/.bin/biome");
    const args = ["lint", "--reporter=json", "--max-diagnostics=500", "."];
    const { stdout } = spawnSync(biome, args, { cwd: folder, encoding: "utf8" });
    const { diagnostics }: { diagnostics: Diagnostic[] } = JSON.parse(stdout);
    return diagnostics.filter((d) => d.severity === "error").map((d) => `${d.location.path} ${d.category}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

suite("the linter", () => {
  test("objects to every planted violation and to nothing beside them", () => {
    const expected = planted.flatMap(([path, , rule]) => (rule ? [`${path} ${rule}`] : []));
    assert.deepEqual(lintPlanted().sort(), expected.sort());
  });
});
