import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import { makeHost, REF } from "./pageHost";
import { closeScreens, openDetails, startScreens, textOf, untilDrawn, untilFocused, untilText } from "./pageScreens";
import { irisFacts } from "./sampleModel";

before(startScreens);
after(closeScreens);

/** Work that ends when it is told to. */
function held() {
  let release = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { ended, release: () => release() };
}

/** A host that writes labels when it is told to, and then has them. */
function slowlyWritten() {
  const { ended, release } = held();
  let now: ModelFacts = irisFacts;
  const host = makeHost({
    jobs: {
      describeModel: () => now,
      "store.edit": async ({ edit }: { edit: { labels?: { set: Record<string, string> } } }) => {
        await ended;
        const labels = new Map([...now.labels, ...Object.entries(edit.labels?.set ?? {})]);
        now = { ...now, labels: [...labels] };
        return { tag: REF.tag, changed: true };
      },
    },
  });
  return { host, release };
}

async function openSaving() {
  const { host, release } = slowlyWritten();
  const rig = await openDetails({}, { handlers: host.handlers });
  const { page } = rig;
  await page.getByTestId("edit-labels").click();
  await page.getByTestId("labels-0-value").locator("input").fill("audio");
  await page.getByTestId("edit-save").click();
  await page.getByTestId("edit-save").getByText("Saving").waitFor();
  return { rig, page, release, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

describe("while a form is written", () => {
  test("what is typed on stays, in the form, as a change of what was written", async () => {
    await using saving = await openSaving();
    const { page, release } = saving;
    const value = page.getByTestId("labels-0-value").locator("input");
    await value.fill("audio and video");
    release();
    await page.getByTestId("edit-save").getByText("Save", { exact: true }).waitFor();
    assert.equal(await value.inputValue(), "audio and video");
    assert.equal(await page.getByTestId("edit-conflict").count(), 0);
    await page.getByTestId("edit-save").click();
    await page.getByTestId("form-labels").waitFor({ state: "detached" });
    await untilText(page.getByTestId("labels"), /owner=audio and video/);
  });

  test("another form that was opened meanwhile stays open with what is typed into it", async () => {
    await using saving = await openSaving();
    const { page, release } = saving;
    await page.getByTestId("edit-cancel").click();
    await page.getByTestId("edit-notes").click();
    await page.getByTestId("notes-text").locator("textarea").fill("half typed");
    release();
    await page.getByTestId("labels").getByText("owner=audio").waitFor();
    await untilDrawn(page);
    assert.equal(await page.getByTestId("notes-text").locator("textarea").inputValue(), "half typed");
  });

  test("the focus that was put elsewhere stays there when the form closes", async () => {
    await using saving = await openSaving();
    const { page, release } = saving;
    await page.getByTestId("copy-tag").focus();
    release();
    await page.getByTestId("form-labels").waitFor({ state: "detached" });
    await untilDrawn(page);
    await untilFocused(page, "copy-tag");
  });
});

test("of two readings of a model that were asked for the newer one is shown, whichever comes last", async () => {
  const first = held();
  let labels: ModelFacts["labels"] = [["owner", "nobody yet"]];
  let readings = 0;
  const host = makeHost({
    jobs: {
      describeModel: async () => {
        const read = { ...irisFacts, labels };
        readings += 1;
        if (labels[0]?.[1] === "old") await first.ended;
        return read;
      },
    },
  });
  await using rig = await openDetails({}, { handlers: host.handlers });
  const { page } = rig;
  await page.getByTestId("labels").getByText("nobody yet").waitFor();
  const before = readings;
  labels = [["owner", "old"]];
  rig.peer.send("model/changed", { tag: REF.tag });
  while (readings === before) await page.waitForTimeout(5);
  labels = [["owner", "new"]];
  rig.peer.send("model/changed", { tag: REF.tag });
  await page.getByTestId("labels").getByText("owner=new").waitFor();
  first.release();
  // The host posts what was released before the page is asked whether it has drawn it.
  await new Promise((resolve) => setImmediate(resolve));
  await untilDrawn(page);
  assert.equal(await textOf(page.getByTestId("labels")), "owner=new");
});
