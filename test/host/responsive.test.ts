import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { exportModelJob } from "../../src/store/archive/archiveJobs";
import type { Answers } from "../unit/extension/fakeServices";
import { plant } from "../unit/store/storeKit";
import { activated, answering, listedTags, repository, temporaryFolder, unblocked, useStore } from "./kit";
import { until } from "./until";

const NAMES = 200;
const BIG_BYTES = 48 * 1024 * 1024;

describe("the window while a command works on a large store", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "store");
  const team = join(folder.path, "team");
  const archive = (attempt: number) => join(folder.path, `big${attempt}.bentomodel`);
  const incoming = (attempt: number) => join(folder.path, `incoming${attempt}.bentomodel`);
  const big = { store: "own", tag: "big:v1" };
  const project = join(folder.path, "project");
  const script = join(project, "prices.py");
  const interpreter = join(repository(), ".tools/venv/bin/python");
  let commit = "";
  let api: TestApi;

  before(async function () {
    this.timeout(60_000);
    for (let i = 0; i < NAMES * 5; i++) plant(home, `model${i % NAMES}`, `v${i}`);
    writeFileSync(join(plant(home, "big", "v1"), "weights.bin"), Buffer.alloc(BIG_BYTES, "weights"));
    plant(team, "theirs", "v1");
    api = await activated();
    for (const attempt of [0, 1, 2]) await pack(attempt);
    writeProject();
    await setInterpreter(interpreter);
    await vscode.commands.executeCommand("modelbench.models.focus");
    await useStore(api, home);
  });

  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    await setInterpreter(undefined);
    await useStore(api, "");
    folder.remove();
  });

  /** A file of Python with an object, in a repository with one commit. */
  function writeProject(): void {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: project, encoding: "utf8", stdio: "pipe" });
    mkdirSync(project);
    writeFileSync(script, "prices = {'a': 1.5}\n");
    git("init");
    git("add", "prices.py");
    git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--message=Price");
    commit = git("rev-parse", "HEAD").trim();
  }

  /** The form is filled in by a user who changes only what the model is called. */
  async function withForm<T>(attempt: number, work: () => Promise<T>): Promise<T> {
    const { pages } = api.services;
    const openSaveForm: typeof pages.openSaveForm = async ({ values }) => ({ ...values, version: `v${attempt}` });
    api.services.pages = Object.assign(Object.create(pages), { openSaveForm });
    try {
      return await work();
    } finally {
      api.services.pages = pages;
    }
  }

  /** An archive of a model that the store does not hold, one for each attempt. */
  async function pack(attempt: number): Promise<void> {
    const elsewhere = join(folder.path, "elsewhere");
    const weights = join(plant(elsewhere, "fresh", `v${attempt}`), "weights.bin");
    writeFileSync(weights, Buffer.alloc(BIG_BYTES / 4, "weights"));
    const input = { home: elsewhere, tag: `fresh:v${attempt}`, destination: incoming(attempt) };
    await api.services.jobs.run(exportModelJob, input);
  }

  /** Runs a command without holding the thread, with a user who answers so; `check` sees what the user saw. */
  function responds(what: string, answers: (attempt: number) => Answers, command: string, ...args: unknown[]) {
    return {
      until: (check: (lines: string[], attempt: number) => unknown) =>
        it(`answers while it ${what}`, async () => {
          await unblocked(async (attempt) => {
            const { lines, restore } = answering(api, answers(attempt));
            try {
              await withForm(attempt, async () => vscode.commands.executeCommand(`modelbench.${command}`, ...args));
              await until(what, () => (check(lines, attempt) ? true : undefined), 10_000);
            } finally {
              restore();
            }
          });
        }),
    };
  }

  const lists = (tag: string) => listedTags(api).includes(tag);

  responds("lists", () => ({}), "refresh").until(() => listedTags(api).length === NAMES * 5 + 1);
  responds("opens a model", () => ({}), "openModel", big).until(() =>
    vscode.window.tabGroups.activeTabGroup.activeTab?.label.includes("big:v1"),
  );
  const asArchive = (attempt: number) => ({ pick: () => "BentoML model", target: archive(attempt) });
  responds("exports", asArchive, "exportModel", big).until((_, attempt) => existsSync(archive(attempt)));
  const undone = { confirm: true, review: "accept", presses: true, offered: "Undo" } as const;
  responds("deletes and undoes", () => undone, "deleteModel", { store: "own", tag: "model7:v7" }).until(
    (lines) => lines.some((line) => line.includes("model7:v7 deleted")) && lists("model7:v7"),
  );
  responds("imports", (attempt) => ({ files: [incoming(attempt)], review: "accept" }), "importModel").until(
    (_, attempt) => lists(`fresh:v${attempt}`),
  );
  responds("edits", () => ({}), "editLabels", big).until(() =>
    vscode.window.tabGroups.activeTabGroup.activeTab?.label.includes("big:v1"),
  );
  responds("filters", () => ({ input: () => ["model", "model7", "size>1MiB"] }), "filter").until(
    () => api.services.tree.filter === "size>1MiB",
  );
  responds("shows everything again", () => ({}), "clearFilter").until(() => api.services.tree.filter === "");
  responds("shows a further store", () => ({ folder: team }), "addStore").until(() =>
    api.services.stores.all.some(({ id }) => id === `home:${team}`),
  );
  responds("closes it", () => ({ pick: (_, [first]) => first }), "removeStore").until(
    () => api.services.stores.all.length === 1,
  );
  const goesOn: Answers = { input: () => [], pick: () => "Go On…", decides: "Run and Save" };
  responds("saves an object", () => goesOn, "saveObject", vscode.Uri.file(script)).until(
    (lines, attempt) => lines.some((line) => line.includes(`prices:v${attempt} saved`)) && lists(`prices:v${attempt}`),
  );
  responds("opens a commit", () => ({}), "openCommit", { store: "own", tag: "prices:v0" }).until(
    (lines) => lines.includes(`copy: ${commit}`) || isShown(commit.slice(0, 7)),
  );
  responds("lists the code that is allowed", () => ({}), "allowedCode").until((lines) =>
    lines.includes("inform: No model's code is allowed to run on this machine."),
  );
  responds("lists interpreters", () => ({}), "selectInterpreter").until((lines) =>
    lines.some((line) => line.startsWith("pick: Which Python Runs Models?") && line.includes(interpreter)),
  );
  responds("lists the devices of a model", () => ({}), "selectDevice", { store: "own", tag: "prices:v0" }).until(
    (lines) => lines.includes("inform: prices:v0 runs on one device only: CPU."),
  );

  it("left the big model as it was", () => {
    assert.equal(readFileSync(join(home, "models/big/v1/weights.bin")).length, BIG_BYTES);
  });
});

/** Whether an open tab has this in its name. */
function isShown(text: string): boolean {
  return vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => label.includes(text)));
}

async function setInterpreter(path: string | undefined): Promise<void> {
  const settings = vscode.workspace.getConfiguration("modelbench.python");
  await settings.update("interpreter", path, vscode.ConfigurationTarget.Global);
}
