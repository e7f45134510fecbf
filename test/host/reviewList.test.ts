import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import type { ReviewItem } from "../../src/extension/services";
import { activated } from "./kit";
import { until } from "./until";

describe("a list to review", () => {
  let api: TestApi;
  before(async () => {
    api = await activated();
  });

  const items: ReviewItem<string>[] = [
    { label: "a:v1", value: "a", picked: true, buttons: [{ id: "skip", icon: "debug-step-over", tooltip: "Skip" }] },
    { label: "$(error) b", value: "b", picked: false },
    { label: "broken.tar", value: "c", picked: true, disabled: true, icon: "error" },
  ];

  /** Shows the list and runs a command of the workbench until it has answered: nothing tells when it is drawn. */
  async function answerTo(command: string): Promise<{ chosen: readonly string[] | undefined; titles: string[] }> {
    const titles: string[] = [];
    let answer: { chosen: readonly string[] | undefined } | undefined;
    const shown = api.services.ui.review<string>({
      title: (chosen) => {
        titles.push(chosen.join("+"));
        return `Import ${chosen.length}`;
      },
      hint: "Enter imports what is ticked.",
      unavailable: "Cannot be imported",
      items: () => items,
    });
    void shown.then((chosen) => {
      answer = { chosen };
    });
    await until("the list to answer", async () => {
      await vscode.commands.executeCommand(command);
      return answer;
    });
    return { chosen: await shown, titles };
  }

  it("starts with what is ticked, and Enter takes it; what cannot be chosen is never in it", async () => {
    const { chosen, titles } = await answerTo("workbench.action.acceptSelectedQuickOpenItem");
    assert.deepEqual(chosen, ["a"]);
    assert.ok(
      titles.every((title) => title === "a"),
      titles.join(" | "),
    );
  });

  it("answers nothing when it is dismissed", async () => {
    const { chosen } = await answerTo("workbench.action.closeQuickOpen");
    assert.equal(chosen, undefined);
  });
});
