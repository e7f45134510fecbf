import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gitState, withoutCredentials } from "../../../src/runner/gitState";
import { tempFolder } from "../store/storeKit";

const { path: temporary, remove } = tempFolder();
const root = join(temporary, "project");
const script = join(root, "src", "train model.py");

function git(...args: readonly string[]): string {
  const who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"];
  return execFileSync("git", [...who, ...args], { cwd: root, encoding: "utf8" }).trim();
}

/** Another repository with a script that is committed, and git in it. */
function committed(name: string, attributes = "") {
  const repository = join(temporary, name);
  const file = join(repository, "train.py");
  const here = (...args: readonly string[]) => git("-C", repository, ...args);
  mkdirSync(repository);
  writeFileSync(file, "model = 1\n");
  writeFileSync(join(repository, ".gitattributes"), attributes);
  here("init", "--quiet");
  here("add", ".");
  here("commit", "--quiet", "-m", "one");
  return { repository, file, here };
}

before(() => {
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(script, "model = 1\n");
});
after(remove);

test("without a repository, a commit or git there is no state", async () => {
  assert.equal(await gitState(script), undefined);
  git("init", "--quiet");
  assert.equal(await gitState(script), undefined);
  assert.equal(await gitState(script, undefined, join(root, "no such git")), undefined);
});

test("the state is the commit, its branch, the script's place and whether anything differs", async () => {
  git("add", ".");
  git("commit", "--quiet", "-m", "one");
  git("checkout", "--quiet", "-b", "feature/a");
  git("remote", "add", "origin", "https://me:secret@example.org/me/project.git");
  const commit = git("rev-parse", "HEAD");
  const clean = await gitState(script);
  assert.deepEqual(clean, {
    folder: realpathSync(root),
    commit,
    branch: "feature/a",
    isDirty: false,
    remote: "https://example.org/me/project.git",
    script: "src/train model.py",
  });
  writeFileSync(join(root, "notes.txt"), "not tracked, and not the script");
  assert.equal((await gitState(script))?.isDirty, false);
  assert.equal((await gitState(join(root, "notes.txt")))?.isDirty, true);
  writeFileSync(script, "model = 2\n");
  assert.equal((await gitState(script))?.isDirty, true);
  git("checkout", "--quiet", "--detach");
  assert.equal((await gitState(script))?.branch, undefined);
});

test("looking runs nothing that the repository's own configuration names", async () => {
  const hook = join(temporary, "hook.sh");
  const ran = join(temporary, "ran");
  writeFileSync(hook, `#!/bin/sh\ntouch '${ran}'\n`);
  chmodSync(hook, 0o755);
  git("config", "core.fsmonitor", hook);
  git("config", "core.hooksPath", temporary);
  assert.ok(await gitState(script));
  assert.equal(existsSync(ran), false);
  // The same look without our options does run it.
  git("status", "--porcelain");
  assert.equal(existsSync(ran), true);
});

test("nor a filter of the repository's own: then nobody knows whether anything differs", async () => {
  const ran = join(temporary, "filtered");
  const { file, here } = committed("filters", "*.py filter=own\n");
  here("config", "filter.own.clean", `touch '${ran}'; cat`);
  // As long as before: only the content can tell.
  writeFileSync(file, "model = 2\n");
  const state = await gitState(file);
  assert.deepEqual([state?.commit, state?.isDirty], [here("rev-parse", "HEAD"), undefined]);
  assert.equal(existsSync(ran), false);
  // The same look without our care does run it.
  here("status", "--porcelain");
  assert.equal(existsSync(ran), true);
});

test("nor what the repository names to fetch objects that it lacks", async () => {
  const ran = join(temporary, "fetched");
  const { repository, file, here } = committed("partial");
  const commit = here("rev-parse", "HEAD");
  rmSync(join(repository, ".git/objects", commit.slice(0, 2)), { recursive: true });
  here("config", "core.repositoryFormatVersion", "1");
  here("config", "extensions.partialClone", "origin");
  here("config", "remote.origin.promisor", "true");
  here("config", "remote.origin.url", `ext::touch ${ran}`);
  here("config", "protocol.ext.allow", "always");
  assert.equal(await gitState(file), undefined);
  assert.equal(existsSync(ran), false);
  assert.throws(() => here("rev-parse", "--verify", "HEAD^{commit}"));
  assert.equal(existsSync(ran), true);
});

test("a git that takes too long, or was not waited for, is as none", async () => {
  const controller = new AbortController();
  controller.abort();
  assert.equal(await gitState(script, controller.signal), undefined);
});

for (const [url, shown] of [
  ["https://user:token@host/a/b.git", "https://host/a/b.git"],
  ["https://token@host/a/b.git?access=1#x", "https://host/a/b.git"],
  ["https://host/a/b.git", "https://host/a/b.git"],
  ["https://host/a@b.git", "https://host/a@b.git"],
  ["ssh://git@host:22/a.git", "ssh://git@host:22/a.git"],
  ["ssh://me:secret@host/a.git", "ssh://me@host/a.git"],
  ["git@github.com:me/a.git", "git@github.com:me/a.git"],
  ["me:secret@host:a.git", "me@host:a.git"],
  ["../other", "../other"],
] as const) {
  test(`the remote ${url} is noted as ${shown}`, () => assert.equal(withoutCredentials(url), shown));
}
