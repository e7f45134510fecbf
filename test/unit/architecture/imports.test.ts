import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { externalsOf, importViolations } from "./importRules";
import { root, sourceFiles } from "./sourceTree";

/** What esbuild.mjs at the root exports, which is plain JavaScript. */
interface BuildScript {
  readonly bundles: readonly { readonly name: string }[];
  bundleOptions(bundle: { readonly name: string }, production: boolean): BuildOptions;
}

async function metafileOf(options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({ ...options, write: false, metafile: true, logLevel: "silent" });
  assert.ok(metafile);
  return metafile;
}

suite("the bundles", () => {
  const metafiles = new Map<string, Metafile>();
  const metafile = (name: string): Metafile => {
    const found = metafiles.get(name);
    assert.ok(found, `there is a bundle named ${name}`);
    return found;
  };

  before(async () => {
    const script: BuildScript = await import(pathToFileURL(join(root, "esbuild.mjs")).href);
    for (const bundle of script.bundles) {
      metafiles.set(bundle.name, await metafileOf(script.bundleOptions(bundle, false)));
    }
  });

  test("import one way only", () => {
    for (const [name, meta] of metafiles) assert.deepEqual(importViolations(meta), [], name);
  });

  test("carry vscode in the extension's bundles only", () => {
    for (const [name, meta] of metafiles) {
      assert.equal(externalsOf(meta).has("vscode"), name === "extension" || name === "pages", name);
    }
  });

  test("ask for the native runtime in the runner's worker thread only", () => {
    for (const [name, meta] of metafiles) {
      assert.equal(externalsOf(meta).has("onnxruntime-node"), name === "ortThread", name);
    }
  });

  test("show the page its own files and the protocol, and nothing of Node", () => {
    const inputs = Object.keys(metafile("page").inputs);
    assert.deepEqual(
      inputs.filter((path) => !/^(webview|node_modules)\//.test(path)),
      [],
    );
    assert.deepEqual([...externalsOf(metafile("page"))], []);
  });

  test("keep other bundles out of the one that loads them when first needed", () => {
    const entries = ["src/jobs/main.ts", "src/runner/main.ts", "src/cli/main.ts", "src/extension/page/openPages.ts"];
    assert.deepEqual(
      entries.filter((entry) => entry in metafile("extension").inputs),
      [],
    );
  });
});

suite("the whole source", () => {
  test("imports one way only, files that no bundle reaches included", async () => {
    const entryPoints = sourceFiles().filter((path) => /^(src|webview\/protocol)\/.*\.ts$/.test(path));
    assert.ok(entryPoints.length >= 50, `found only ${entryPoints.length} source files`);
    const external = ["vscode", "onnxruntime-node", "*.wat"];
    const outdir = "out/graph";
    const meta = await metafileOf({ entryPoints, outdir, bundle: true, platform: "node", format: "cjs", external });
    assert.deepEqual(importViolations(meta), []);
  });
});

suite("a planted import in the wrong direction", () => {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-planted-"));
  const plant = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  after(() => rmSync(folder, { recursive: true, force: true }));

  const cases: readonly (readonly [from: string, to: string])[] = [
    ["src/base/planted.ts", "src/formats/target.ts"],
    ["src/tensors/planted.ts", "src/store/target.ts"],
    ["src/store/planted.ts", "src/extension/target.ts"],
    ["src/frameworks/planted.ts", "src/jobs/target.ts"],
    ["src/frameworks/onnx/planted.ts", "src/frameworks/flax/target.ts"],
    ["src/extension/planted.ts", "src/cli/target.ts"],
    ["src/extension/page.ts", "webview/ui/target.ts"],
    ["src/runner/planted.ts", "webview/protocol/target.ts"],
    ["webview/protocol/planted.ts", "src/base/target.ts"],
    ["webview/ui/planted.ts", "src/formats/target.ts"],
    ["src/store/code.ts", "vscode"],
    ["src/runner/planted.ts", "onnxruntime-node"],
  ];
  for (const [from, to] of cases) {
    test(`is seen: ${from} -> ${to}`, async () => {
      const ours = to.includes("/");
      const up = "../".repeat(from.split("/").length - 1);
      const target = ours ? `${up}${to.replace(/\.ts$/, "")}` : to;
      // Loaded late, as a lazy import would be.
      plant(from, `export const planted = () => import(${JSON.stringify(target)});`);
      if (ours) plant(to, "export const target = 1;");
      const meta = await metafileOf({
        absWorkingDir: folder,
        entryPoints: [from],
        outfile: "planted.cjs",
        bundle: true,
        platform: "node",
        format: "cjs",
        external: ["vscode", "onnxruntime-node"],
      });
      assert.equal(importViolations(meta).length, 1);
      assert.match(importViolations(meta)[0] ?? "", new RegExp(`^${from} imports ${to}: `));
    });
  }
});
