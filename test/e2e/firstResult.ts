import { join } from "node:path";
import type { Page } from "playwright-core";
import { Workbench } from "./workbench";

/** What a newcomer sees and how long it took, from the drawn window on. */
export interface FirstResult {
  /** The class that the model answers with, as the page shows it. */
  readonly answer: string;
  readonly clicks: number;
  readonly seconds: number;
}

/** A place in the window where nothing is pointed at. */
const RESTING = { x: 800, y: 700 };

/**
 * Walks from the open window to the first answer as a newcomer does: the icon, the sample store unless it is open
 * already, a version of the iris model, whose signature and metadata are there to be read, Run. Nothing is typed.
 * @param shots folder that takes a picture of every step
 */
export async function firstResult(page: Page, shots: string, sampleIsOpen: boolean): Promise<FirstResult> {
  const workbench = new Workbench(page);
  await workbench.ready();
  const begin = performance.now();
  let clicks = 0;
  const step = async (name: string, click: () => Promise<void>, seen: () => Promise<void>): Promise<void> => {
    await click();
    clicks += 1;
    await seen();
    await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  const sample = workbench.welcomeButton("Open Sample Store");
  const version = workbench.row("v2").first();
  const view = workbench.view();
  const label = view.getByTestId("class-label");

  const start = sampleIsOpen ? version : sample;
  await step(
    sampleIsOpen ? "tree" : "welcome",
    () => workbench.openContainer("Modelbench"),
    () => start.waitFor(),
  );
  if (!sampleIsOpen) {
    await step(
      "tree",
      () => sample.click(),
      () => version.waitFor(),
    );
  }
  await step(
    "details",
    async () => {
      // What the pointer rests on tells about itself; a person's pointer is on its way by then.
      await page.mouse.move(RESTING.x, RESTING.y);
      await version.click();
    },
    async () => {
      await view.getByTestId("methods").filter({ hasText: "input: float32 [batch, 4]" }).waitFor();
      await view.getByTestId("metadata").filter({ hasText: "virginica" }).waitFor();
      await view.getByTestId("head-run").waitFor();
    },
  );
  await step(
    "answer",
    () => view.getByTestId("head-run").click(),
    () => label.waitFor(),
  );
  const answer = ((await label.textContent()) ?? "").trim();
  return { answer, clicks, seconds: (performance.now() - begin) / 1000 };
}
