import { execFile } from "node:child_process";
import { dirname, relative, sep } from "node:path";
import { realPath } from "../frameworks/distInfo";
import { allowedEnvironment } from "../jobs/startNodeChild";
import type { GitState } from "../store/provenance";

/** Nobody waits longer for what is worth knowing, not worth waiting for. */
const GIT_TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 4 * 2 ** 20;

/** What a repository's own configuration could run while git only looks. */
const RUNS_NOTHING = [
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.untrackedCache=false",
];

/** What a commit lacks would be fetched, by a program that the repository names; older versions of git know no other way. */
const ASKS_NOBODY = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none",
};

/**
 * The state of the repository that a file is in; `undefined` without a repository, a commit or git.
 * @param file absolute
 * @param git the program, by name or path
 */
export async function gitState(file: string, signal?: AbortSignal, git = "git"): Promise<GitState | undefined> {
  const run: Run = (...args) => ask(git, dirname(file), args, signal);
  const [folder, commit] = await Promise.all([
    run("rev-parse", "--show-toplevel"),
    run("rev-parse", "--verify", "HEAD^{commit}"),
  ]);
  if (!folder || !commit) return undefined;
  const [branch, changes, tracked, remote] = await Promise.all([
    run("symbolic-ref", "--quiet", "--short", "HEAD"),
    changesIn(run),
    run("ls-files", "--error-unmatch", "--", file),
    remoteUrl(run),
  ]);
  const isDirty = changes === undefined ? undefined : changes !== "" || tracked === undefined;
  return {
    folder,
    commit,
    script: relative(realPath(folder), realPath(file)).split(sep).join("/"),
    ...(branch ? { branch } : {}),
    ...(isDirty === undefined ? {} : { isDirty }),
    ...(remote ? { remote: withoutCredentials(remote) } : {}),
  };
}

/**
 * A remote's URL without what lets somebody in: user and password of a web address, the password of others, and what
 * follows a `?`.
 */
export function withoutCredentials(url: string): string {
  const web = /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#]*)@)?([^?#]*)/is.exec(url);
  if (web === null) return url.replace(/^([^@/:]*):[^@/]*@/, "$1@");
  const [, scheme = "", login = "", rest = ""] = web;
  const user = login.split(":")[0];
  return /^(ssh|git\+ssh):/i.test(scheme) && user ? `${scheme}${user}@${rest}` : `${scheme}${rest}`;
}

type Run = (...args: readonly string[]) => Promise<string | undefined>;

/**
 * What differs from the commit; `undefined` where the repository's own configuration names filters, since git runs
 * these to tell. Those of the user's own configuration are the user's.
 */
async function changesIn(run: Run): Promise<string | undefined> {
  const scopes = ["--local", "--worktree"];
  const filters = (scope: string) => run("config", scope, "--includes", "--name-only", "--get-regexp", "^filter\\.");
  if ((await Promise.all(scopes.map(filters))).some((names) => names !== undefined)) return undefined;
  return run("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty");
}

async function remoteUrl(run: Run) {
  const names = (await run("remote"))?.split("\n") ?? [];
  const name = names.includes("origin") ? "origin" : names[0];
  return name ? run("config", "--get", `remote.${name}.url`) : undefined;
}

/** What git prints, without the last line break; `undefined` when it fails, is not there or takes too long. */
function ask(git: string, cwd: string, args: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
  const env = { ...allowedEnvironment(process.env), LC_ALL: "C", ...ASKS_NOBODY };
  const options = { cwd, env, timeout: GIT_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true, signal };
  return new Promise((resolve) => {
    execFile(git, [...RUNS_NOTHING, ...args], options, (error, stdout) =>
      resolve(error ? undefined : stdout.replace(/\r?\n$/, "")),
    );
  });
}
