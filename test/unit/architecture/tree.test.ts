import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sourceFiles, textOf } from "./sourceTree";

const files = sourceFiles();
const code = files.filter((path) => /\.(ts|tsx|mjs|py|css)$/.test(path));
const text = files.filter(
  (path) => /\.(ts|tsx|mjs|py|css|json|md|txt|svg)$/.test(path) || /^\.ci\/|^\.npmrc$/.test(path),
);

/** Paths whose text matches, lock files aside. */
function matching(paths: readonly string[], pattern: RegExp): string[] {
  return paths.filter((path) => !path.endsWith("package-lock.json") && pattern.test(textOf(path)));
}

suite("the working tree", () => {
  test("is seen whole by these checks", () => {
    assert.ok(code.length >= 100, `found only ${code.length} files of code`);
  });

  test("has no file of code over 400 lines", () => {
    const long = code.filter((path) => textOf(path).split("\n").length > 401);
    assert.deepEqual(long, []);
  });

  test("starts processes in the few files that may", () => {
    const starters = matching(
      code.filter((path) => /^(src|webview)\//.test(path)),
      /^import (?!type\b).*["'](node:)?child_process["']|require\(["'](node:)?child_process/m,
    );
    assert.deepEqual(starters, [
      "src/jobs/startNodeChild.ts",
      "src/runner/gitState.ts",
      "src/runner/isolation.ts",
      "src/runner/processMemory.ts",
      "src/runner/pythonProcess.ts",
    ]);
  });

  test("writes no markup from text in the page", () => {
    const pattern = /\b(innerHTML|outerHTML|insertAdjacentHTML|srcdoc|DOMParser)\b|document\.write/;
    assert.deepEqual(
      matching(
        code.filter((path) => path.startsWith("webview/")),
        pattern,
      ),
      [],
    );
  });

  test("puts neither a path nor a URI of the store into a drag", () => {
    const views = code.filter((path) => path.startsWith("src/extension/tree/"));
    assert.deepEqual(matching(views, /\bresourceUri\b/), [], "VS Code drags a row by it");
    const put = views.flatMap((path) => textOf(path).match(/\bdata\.set\([^,]*/g) ?? []);
    assert.deepEqual(put, ["data.set(ROWS"]);
  });

  test("evaluates no text as code, but for what the user typed to be saved, in the worker and after consent", () => {
    const shipped = code.filter((path) => /^(src|webview)\//.test(path));
    assert.deepEqual(matching(shipped, /\beval\(|new Function\(|node:vm["']/), [
      "src/frameworks/python/modelbench_worker/project_module.py",
    ]);
  });

  test("names no registry host, in lock files neither", () => {
    const hosts = new RegExp(["registry\\.npmjs", "registry\\.yarnpkg", "files\\.pythonhosted", "pypi\\."].join("|"));
    const self = "test/unit/architecture/tree.test.ts";
    assert.deepEqual(
      matching(
        text.filter((path) => path !== self),
        hosts,
      ),
      [],
    );
    const locks = files.filter((path) => path.endsWith("package-lock.json"));
    assert.equal(locks.length, 3);
    for (const path of locks) assert.doesNotMatch(textOf(path), /"resolved"/, path);
  });

  test("points to nothing outside itself", () => {
    const outside = new RegExp(["\\.\\./", "shared/|/", "work/(main|", "shared)"].join(""));
    assert.deepEqual(matching(text, outside), []);
  });

  test("keeps every test where a runner looks for it", () => {
    const tests = files.filter((path) => /\.(test|e2e)\.[a-z]+$/.test(path));
    const lost = tests.filter((path) => !/^test\/((unit|peers|host)\/.*\.test\.ts|e2e\/.*\.e2e\.ts)$/.test(path));
    assert.deepEqual(lost, []);
  });
});
