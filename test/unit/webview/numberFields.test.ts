import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { REF } from "./pageHost";
import { closeScreens, openDetails, openTest, startScreens, untilDrawn } from "./pageScreens";

before(startScreens);
after(closeScreens);

/** The number that a field shows once it was filled with a text and left. */
async function leftWith(page: Page, field: Locator, text: string): Promise<string> {
  await field.fill(text);
  await page.keyboard.press("Tab");
  await untilDrawn(page);
  return field.inputValue();
}

describe("a field that is left shows the number that counts", () => {
  test("of requests to send", async () => {
    await using rig = await openTest();
    const field = rig.page.getByTestId("copies").locator("input");
    assert.equal(await leftWith(rig.page, field, "12"), "12");
    assert.equal(await leftWith(rig.page, field, "a dozen"), "12");
    assert.equal(await leftWith(rig.page, field, "1000"), "64", "the most that are sent");
    assert.equal(await leftWith(rig.page, field, "1000"), "64");
  });

  test("of a dimension, and of the seed", async () => {
    await using rig = await openTest();
    await rig.page.getByTestId("input-x-tab-generate").click();
    const size = rig.page.getByTestId("dim-x-0");
    assert.equal(await leftWith(rig.page, size, "5"), "5");
    assert.equal(await leftWith(rig.page, size, "-5"), "5");
    const seed = rig.page.getByTestId("seed-x").locator("input");
    assert.equal(await leftWith(rig.page, seed, "7"), "7");
    assert.equal(await leftWith(rig.page, seed, ""), "7");
  });

  test("of a batch axis", async () => {
    const start = { subject: { kind: "details", ...REF }, section: "signatures", edit: "signatures" } as const;
    await using rig = await openDetails({}, { start });
    const axis = rig.page.locator('[data-testid*="-axis-in-"]').first();
    const before = await axis.inputValue();
    assert.equal(await leftWith(rig.page, axis, "99"), before);
  });
});
