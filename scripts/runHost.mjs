// Runs test/host inside real extension hosts: VS Code of test/servers/current and /minimum, or with --desktop=PATH a
// desktop VS Code (its Electron program, not the `code` wrapper). Other arguments: --only=current|minimum, and a
// pattern of test titles.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTests } from "@vscode/test-electron";
import { buildTests, testFiles } from "./buildTests.mjs";
import { out, root } from "./places.mjs";

const args = process.argv.slice(2);
const value = (name) => args.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3);
const desktop = value("desktop");
const only = value("only");
const pattern = args.find((a) => !a.startsWith("--")) ?? "";
const built = join(out, "host");
/** A second extension, which uses the API of ours. */
const client = "test/host/fixtures/apiClient";
const builtClient = join(out, "host-client");

mkdirSync(out, { recursive: true });
await buildTests("test/host", [...testFiles("test/host"), join(root, "test/host/index.ts")], built);
await buildTests(client, [join(root, client, "extension.ts")], builtClient);
cpSync(join(root, client, "package.json"), join(builtClient, "package.json"));
for (const version of desktop ? ["desktop"] : ["current", "minimum"]) {
  if (only && only !== version) continue;
  if (!(await runVersion(version))) process.exitCode = 1;
}

/** One run of the suite; its counts are in out/host-<version>.json. */
async function runVersion(version) {
  console.log(`host tests: ${version}`);
  const workspace = mkdtempSync(join(tmpdir(), "modelbench-workspace-"));
  try {
    await runTests({
      vscodeExecutablePath: desktop ?? join(root, "scripts/codeShim.mjs"),
      extensionDevelopmentPath: [root, builtClient],
      extensionTestsPath: join(built, "index.cjs"),
      extensionTestsEnv: {
        MODELBENCH_SERVER: version,
        MODELBENCH_RESULT: join(out, `host-${version}.json`),
        MODELBENCH_LOG: join(out, `host-${version}.log`),
        MODELBENCH_GREP: pattern,
        MODELBENCH_ROOT: root,
      },
      launchArgs: [workspace, "--disable-extensions", "--disable-gpu", "--disable-workspace-trust"],
    });
    return true;
  } catch (error) {
    console.error(`host tests (${version}): ${error.message}`);
    return false;
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}
