import { join } from "node:path";
import type { Page } from "playwright-core";
import { Workbench } from "./workbench";

/** What a newcomer sees and how long it took, from the drawn window on. */
export interface FirstResult {
  /** Input and answer in one line, as the page shows them. */
  readonly answer: string;
  readonly clicks: number;
  readonly seconds: number;
}

/**
 * Walks from the open window to the first answer as a newcomer does: the icon, the sample store, a model, Run.
 * Nothing is typed. @param shots folder that takes a picture of every step
 */
export async function firstResult(page: Page, shots: string): Promise<FirstResult> {
  const workbench = new Workbench(page);
  await workbench.ready();
  const begin = performance.now();
  const picture = (name: string): Promise<unknown> => page.screenshot({ path: join(shots, `${name}.png`) });
  let clicks = 0;
  const click = async (what: () => Promise<void>): Promise<void> => {
    await what();
    clicks += 1;
  };

  await click(() => workbench.openContainer("Modelbench"));
  const sample = workbench.welcomeButton("Open Sample Store");
  await sample.waitFor();
  await picture("1-welcome");
  await click(() => sample.click());
  const version = workbench.row(/^v2/);
  await version.waitFor();
  await picture("2-tree");
  await click(() => version.click());
  const view = workbench.view();
  await view.getByTestId("run").waitFor();
  await picture("3-model");
  await click(() => view.getByTestId("run").click());
  const label = view.getByTestId("result-class").first();
  await label.waitFor();
  await picture("4-answer");
  const answer = `iris_clf answers ${((await label.textContent()) ?? "").trim()}`;
  return { answer, clicks, seconds: (performance.now() - begin) / 1000 };
}
