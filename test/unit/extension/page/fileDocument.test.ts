import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileDocument } from "../../../../src/extension/page/fileDocument";
import { fileHandlers } from "../../../../src/extension/page/fileHandlers";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

test("a page that asks again sees a file that went or came back where no file system tells of it", async () => {
  const path = join(folder, "a.npy");
  writeFileSync(path, "12345");
  const document = new FileDocument({
    ...{ name: "a.npy", folder, path, jobs: inProcessJobs() },
    copy: () => Promise.reject(new Error("it is on this disk")),
    // As on a mounted file system.
    watch: () => ({ dispose: () => undefined }),
    limits: () => ({}),
  });
  await document.open();
  const told: string[] = [];
  document.onDidChange((what) => told.push(what));
  const handlers = fileHandlers({ document, ui: { copy: async () => undefined }, command: async () => undefined });
  const { signal } = new AbortController();
  const states: unknown[] = [];
  const ask = async (): Promise<void> => {
    const { bytes, isGone } = await handlers["file/info"]({}, signal);
    states.push([bytes, isGone]);
  };
  await ask();
  renameSync(path, `${path}.away`);
  await ask();
  renameSync(`${path}.away`, path);
  await ask();
  assert.deepEqual(states, [
    [5, false],
    [null, true],
    [5, false],
  ]);
  assert.deepEqual(told, ["file", "content"]);
  await document.dispose();
});
