import { after, before, test } from "node:test";
import type { Reply } from "../../../webview/protocol/views";
import type { RigOptions } from "./pageRig";
import { closeScreens, inspectScreen, startScreens } from "./pageScreens";
import { jsonDraft, openScript, plainOutput, reply, someConsent, someEngine, somePython } from "./scriptedPage";

before(startScreens);
after(closeScreens);

const one = { "0": jsonDraft("[[5.9, 3, 5.1, 1.8]]") };

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    const options: Partial<RigOptions> = { theme, width };
    const look = (name: string): string => `${theme}-${width}-${name}`;

    test(`${theme}, ${width} px: consent, Python and what it lacks`, async () => {
      const lacking = ["scikit-learn", "joblib"];
      const command = "/home/me/projects/petals/.venv/bin/python -m pip install scikit-learn joblib";
      await using needed = await openScript({ python: somePython, consent: someConsent }, one, options);
      await inspectScreen(needed.rig, look("consent"));
      await needed.page.getByTestId("consent-more").click();
      await inspectScreen(needed.rig, look("consent-imports"));
      needed.show({ python: { ...somePython, lacking, command }, consent: { ...someConsent, state: "given" } });
      await needed.page.getByTestId("python-lacks").waitFor();
      await inspectScreen(needed.rig, look("lacking"));
      const problem = {
        code: "python.missing",
        message: "There is no Python: VIRTUAL_ENV is not set, /home/me/.venv is not there, python3 is not on the PATH.",
        remedy: "Install Python 3.9 or newer, or choose one.",
        path: null,
      };
      needed.show({ python: { ...somePython, interpreter: null, problem }, phase: "loading" });
      await needed.page.getByTestId("python-missing").waitFor();
      await inspectScreen(needed.rig, look("no-python"));
    });

    test(`${theme}, ${width} px: two arguments, their forms and findings`, async () => {
      const drafts = { ...one, training: jsonDraft("false") };
      await using opened = await openScript({ python: somePython }, drafts, options);
      await inspectScreen(opened.rig, look("arguments"));
      await opened.page.getByTestId("argument-0-tab-form").click();
      await opened.page.getByTestId("argument-1-tab-generate").click();
      await opened.page.getByTestId("argument-1-shape").locator("input").fill("2, four");
      await opened.page.getByTestId("argument-0-name").locator("input").fill("training");
      await opened.page.getByTestId("argument-0-error").waitFor();
      await inspectScreen(opened.rig, look("arguments-wrong"));
    });

    test(`${theme}, ${width} px: values that are no arrays`, async () => {
      const rows = Array.from({ length: 40 }, (_, i) => [i, `Iris ${["setosa", "virginica"][i % 2]}`, 0.25 + i / 100]);
      const text = JSON.stringify({ label: "virginica", scores: { setosa: 0.01, virginica: 0.97 }, id: 1 }, null, 2);
      const outputs = [
        plainOutput("output", { kind: "json", text, isWhole: false }),
        plainOutput("frame", { kind: "table", columns: ["row", "species", "score"], rows, count: 1500 }),
      ];
      const replies = [reply({ outputs })];
      await using opened = await openScript({ phase: "done", replies, engine: someEngine }, one, options);
      await opened.page.getByTestId("table-frame").waitFor();
      await inspectScreen(opened.rig, look("plain"));
      await opened.page.getByTestId("engine-summary").click();
      await opened.page.getByTestId("loaded-summary").click();
      await inspectScreen(opened.rig, look("engine"));
    });

    test(`${theme}, ${width} px: how requests batched`, async () => {
      await using opened = await openScript({ phase: "done", replies: eight() }, one, options);
      await opened.page.getByTestId("batches").waitFor();
      await inspectScreen(opened.rig, look("batches"));
      opened.show({ replies: sixtyFour() });
      await opened.page.getByTestId("batches-summary").getByText("63 requests").waitFor();
      await inspectScreen(opened.rig, look("batches-64"));
      opened.show({ replies: [reply({ batchId: 9, batches: 4, batchSize: 32, queueMs: 0, runMs: 40 })] });
      await opened.page.getByTestId("batches-summary").getByText("4 batches").waitFor();
      await inspectScreen(opened.rig, look("batches-cut"));
      opened.show({ replies: eight() });
      await opened.page.getByTestId("replies-tab-table").click();
      await inspectScreen(opened.rig, look("batches-table"));
    });
  }
}

function eight(): Reply[] {
  const first = reply({ batchId: 3, batchSize: 2, batchRequests: 1, queueMs: 0.05, runMs: 2.1 });
  const others = Array.from({ length: 7 }, () =>
    reply({ batchId: 4, batchSize: 14, batchRequests: 7, queueMs: 2.4, batchMs: 0.3, runMs: 3.2 }),
  );
  return [first, ...others];
}

function sixtyFour(): Reply[] {
  const error = { code: "run.late", message: "Refused: the wait would pass 10 ms.", remedy: null, path: null };
  return Array.from({ length: 64 }, (_, i) => {
    if (i === 63) return reply({ error });
    const batch = i === 0 ? 0 : 1 + Math.floor((i - 1) / 16);
    const riders = i === 0 ? 1 : Math.min(16, 63 - 1 - (batch - 1) * 16);
    return reply({ batchId: 5 + batch, batchSize: riders, batchRequests: riders, queueMs: batch * 3.1, runMs: 2.8 });
  });
}
