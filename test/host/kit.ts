import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { activate, TEST_PARTS, TestApi } from "../../src/extension/extension";
import type { Services } from "../../src/extension/services";
import { type Answers, fakeUi } from "../unit/extension/fakeServices";
import { delaysDuring } from "./eventLoop";
import { until } from "./until";

/** Longest stretch that the extension host's thread may be held. */
const MAX_BLOCKED_MS = 50;
/** Longest stretch in 99 of 100 looks. */
const MAX_P99_MS = 20;
/** How long a piece of work is looked at, at least. */
const LOOK_MS = 500;
/** A busy machine may hold the thread for reasons that are not ours; it does not do so every time. */
const TRIES = 3;

/** The extension, activated, with what it hands to tests. */
export async function activated(): Promise<TestApi> {
  const extension = vscode.extensions.getExtension<ReturnType<typeof activate>>("modelbench.modelbench");
  assert.ok(extension, "the extension is not installed");
  const parts = (await extension.activate())[Symbol.for("modelbench.testParts") as typeof TEST_PARTS];
  assert.ok(parts, "activate answers tests with its parts");
  return parts;
}

/** The repository that the tests run from. */
export function repository(): string {
  const root = process.env["MODELBENCH_ROOT"];
  assert.ok(root);
  return root;
}

/** A temporary folder for one suite. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "modelbench-host-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Makes `home` the user's own store, as the setting does, and waits until it is listed. */
export async function useStore({ services }: TestApi, home: string): Promise<void> {
  const settings = vscode.workspace.getConfiguration("modelbench");
  await settings.update("storePath", home === "" ? undefined : home, vscode.ConfigurationTarget.Global);
  if (home === "") return;
  await until("the store to change", () => (services.stores.own.home === home ? true : undefined));
  await services.catalog.ready("own");
}

/** Puts a user in place who answers as told, until `restore`; notes what was shown. */
export function answering({ services }: TestApi, answers: Answers): { readonly lines: string[]; restore(): void } {
  const before: Services["ui"] = services.ui;
  const lines: string[] = [];
  services.ui = fakeUi(answers, { lines });
  return {
    lines,
    restore: () => {
      services.ui = before;
    },
  };
}

/** The tags that the catalog lists in the user's own store, sorted. */
export function listedTags({ services }: TestApi): string[] {
  const names = services.catalog.snapshot("own")?.names.values() ?? [];
  return [...names].flatMap(({ models }) => models.map(({ tag }) => `${tag.name}:${tag.version}`)).sort();
}

/**
 * Runs work up to three times until it has not held the host's thread for over 50 ms at a stretch, and for over 20 ms
 * in at most one of a hundred looks. A short piece of work is looked at for half a second, so that there are a hundred.
 */
export async function unblocked(work: (attempt: number) => Promise<void>): Promise<void> {
  const seen: string[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { maxMs, p99Ms } = await delaysDuring(async () => {
      const enough = new Promise((done) => setTimeout(done, LOOK_MS));
      await work(attempt);
      await enough;
    });
    if (maxMs <= MAX_BLOCKED_MS && p99Ms <= MAX_P99_MS) return;
    seen.push(`${Math.round(maxMs)} (99 of 100 under ${Math.round(p99Ms)})`);
  }
  assert.fail(`the host's thread was held for ${seen.join(", ")} ms`);
}
