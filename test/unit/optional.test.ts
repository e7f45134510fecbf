import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { missing, type Optional } from "../optional";

suite("what a machine may lack", () => {
  test("is listed with one reason each", () => {
    const reasons: Record<string, string> = JSON.parse(readFileSync("test/optional.json", "utf8"));
    const known: Optional[] = ["gpu", "vulkan", "ptrace", "userNamespaces", "bubblewrap", "desktop"];
    assert.deepEqual(Object.keys(reasons), known);
    for (const reason of Object.values(reasons)) assert.match(reason, /^\S.{20,}\.$/);
  });

  test("an NVIDIA device answers its driver's tool", { skip: missing("gpu") }, () => {
    assert.match(execFileSync("nvidia-smi", ["-L"], { encoding: "utf8" }), /GPU 0/);
  });

  test("strace lists the files that a process opens", { skip: missing("ptrace") }, () => {
    const trace = join(tmpdir(), `modelbench-strace-${process.pid}`);
    try {
      spawnSync("strace", ["-f", "-e", "trace=openat", "-o", trace, "cat", "package.json"], { timeout: 10_000 });
      assert.ok(existsSync(trace));
      assert.match(readFileSync(trace, "utf8"), /openat\(.*"package\.json"/);
    } finally {
      rmSync(trace, { force: true });
    }
  });

  test("a user namespace makes its first process root", { skip: missing("userNamespaces") }, () => {
    assert.equal(execFileSync("unshare", ["--user", "--map-root-user", "id", "-u"], { encoding: "utf8" }).trim(), "0");
  });

  test("bubblewrap runs a program that sees no network", { skip: missing("bubblewrap") }, () => {
    const seen = execFileSync("bwrap", ["--unshare-net", "--dev-bind", "/", "/", "cat", "/proc/net/dev"]);
    assert.deepEqual(
      seen
        .toString()
        .match(/^ *\w+(?=:)/gm)
        ?.map((name) => name.trim()),
      ["lo"],
    );
  });

  test("the desktop VS Code is no older than the manifest allows", { skip: missing("desktop") }, () => {
    const [major = 0, minor = 0] = execFileSync("code", ["--version"], { encoding: "utf8" }).split(".").map(Number);
    assert.ok(major > 1 || (major === 1 && minor >= 100));
  });
});
