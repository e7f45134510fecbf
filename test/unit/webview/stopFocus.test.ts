import { truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { JobKey, JobOptions, Jobs } from "../../../src/base/ports";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { exportModel } from "../../../src/store/archive/exportModel";
import { ModelStore } from "../../../src/store/modelStore";
import { tempFolder } from "../store/storeKit";
import { makeHost } from "./pageHost";
import { closeScreens, openDetails, openFile, startScreens, until, untilFocused } from "./pageScreens";

const { path: folder, remove } = tempFolder();
const archive = join(folder, "digits-v1.bentomodel");
const large = join(folder, "large.npy");

before(async () => {
  await exportModel(new ModelStore(resolve("media/sample-store")), { tag: "digits:v1", destination: archive });
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000,), }".padEnd(117);
  writeFileSync(large, Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(`${header}\n`)]));
  truncateSync(large, 128 + 16_000_000);
  await startScreens();
});
after(async () => {
  await closeScreens();
  remove();
});

/** The real jobs, but that those of a name end only when they are stopped, as long as `held` says so. */
function stoppable(name: string): { readonly jobs: Jobs; held: boolean } {
  const real = inProcessJobs();
  const kept = {
    held: true,
    jobs: {
      async run<Input, Result>(job: JobKey<Input, Result>, input: Input, options: JobOptions = {}): Promise<Result> {
        if (job.name !== name || !kept.held) return real.run(job, input, options);
        await new Promise((stopped) => options.signal?.addEventListener("abort", stopped));
        throw new ModelbenchError("cancelled", "It was cancelled.");
      },
    },
  };
  return kept;
}

test("statistics hand the focus to their Stop, back, and to the figures", async () => {
  const slow = stoppable("tensor.statistics");
  await using file = await openFile(large, {}, { jobs: slow.jobs });
  const { page } = file.rig;
  await page.getByTestId("section-tab-tensors").click();
  await page.getByTestId("stats-read").focus();
  await page.keyboard.press("Enter");
  await untilFocused(page, "stats-cancel");
  await page.keyboard.press("Enter");
  await untilFocused(page, "stats-read");
  slow.held = false;
  await page.keyboard.press("Enter");
  await page.getByTestId("stats-figures").waitFor();
  await untilFocused(page, "statistics");
});

test("what ends before its Stop could take the focus hands it on to the figures", async () => {
  await using file = await openFile(large, {});
  const { page } = file.rig;
  await page.getByTestId("section-tab-tensors").click();
  await page.getByTestId("stats-read").focus();
  await page.evaluate("window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 500)");
  await page.keyboard.press("Enter");
  await page.getByTestId("stats-figures").waitFor();
  await untilFocused(page, "statistics");
});

test("an export hands the focus to its Stop, and back to what was pressed for it", async () => {
  const slow = stoppable("tensor.export");
  await using file = await openFile(large, {}, { jobs: slow.jobs }, () => join(folder, "out.npy"));
  const { page } = file.rig;
  await page.getByTestId("section-tab-tensors").click();
  await page.getByTestId("export-save").focus();
  await page.keyboard.press("Enter");
  await untilFocused(page, "export-cancel");
  await page.keyboard.press("Enter");
  await page.getByTestId("export-cancel").waitFor({ state: "detached" });
  await untilFocused(page, "export-save");
  slow.held = false;
  await page.getByTestId("export-save").focus();
  await page.keyboard.press("Enter");
  await page.getByText(/saved/i).first().waitFor();
  await untilFocused(page, "export-save");
});

test("a look into an archive that was stopped leaves the focus at looking again, one that ends at what it says", async () => {
  const slow = stoppable("archive.look");
  await using file = await openFile(archive, {}, { jobs: slow.jobs });
  const { page } = file.rig;
  await page.getByTestId("archive-stop").focus();
  await page.keyboard.press("Enter");
  await untilFocused(page, "archive-again");
  slow.held = false;
  await page.keyboard.press("Enter");
  await page.locator('[data-testid=archive-state][data-state="done"]').waitFor();
  await untilFocused(page, "archive-state");
});

test("a check of the files that was stopped leaves the focus at checking, and takes none that is elsewhere", async () => {
  const ends: (() => void)[] = [];
  const verify = (): Promise<unknown> => new Promise((end) => ends.push(() => end({ checked: true, problems: [] })));
  await using rig = await openDetails({}, { handlers: makeHost({ jobs: { "store.verify": verify } }).handlers });
  const { page } = rig;
  await page.getByTestId("verify").focus();
  await page.keyboard.press("Enter");
  await untilFocused(page, "verify-cancel");
  await page.keyboard.press("Enter");
  await page.getByTestId("verify-cancel").waitFor({ state: "detached" });
  await untilFocused(page, "verify");
  await page.keyboard.press("Enter");
  await page.getByTestId("copy-tag").focus();
  await until(page, `document.querySelector('[data-testid="verify-cancel"]') !== null`);
  ends.at(-1)?.();
  await page.getByTestId("verified").waitFor();
  await untilFocused(page, "copy-tag");
});
