import { type InputBox, ThemeIcon, window } from "vscode";
import type { LiveQuestion, Localize } from "./services";

/** What is typed in one go takes effect once. */
const TYPING_MS = 120;

/** Asks for a line of text that takes effect while it is typed; earlier answers are behind a button. */
export async function inputLive(t: Localize, question: LiveQuestion): Promise<string | undefined> {
  let text: string | undefined = question.value;
  // The list of earlier answers takes the place of the box; the box comes back with what was chosen there.
  for (;;) {
    const answer = await askOnce(t, { ...question, value: text });
    if (answer !== "recent") return answer?.text;
    const items = question.recent.map((label) => ({ label }));
    text = (await window.showQuickPick(items, { title: question.title }))?.label ?? text;
    question.onType(text);
  }
}

function askOnce(t: Localize, question: LiveQuestion): Promise<{ readonly text: string } | "recent" | undefined> {
  const box = window.createInputBox();
  fill(box, t, question);
  return new Promise((resolve) => {
    let typing: NodeJS.Timeout | undefined;
    const end = (answer: { readonly text: string } | "recent" | undefined): void => {
      clearTimeout(typing);
      resolve(answer);
      box.dispose();
    };
    box.onDidChangeValue((value) => {
      const finding = question.check(value);
      box.validationMessage = finding;
      clearTimeout(typing);
      if (finding === undefined) typing = setTimeout(() => question.onType(value), TYPING_MS);
    });
    box.onDidAccept(() => question.check(box.value) === undefined && end({ text: box.value }));
    box.onDidTriggerButton(() => end("recent"));
    box.onDidHide(() => end(undefined));
    box.show();
  });
}

function fill(box: InputBox, t: Localize, { check, placeholder, prompt, recent, title, value }: LiveQuestion): void {
  box.title = title;
  box.prompt = prompt;
  box.placeholder = placeholder;
  box.value = value;
  box.validationMessage = check(value);
  // One looks at the tree, and clicks into it, while the box is open.
  box.ignoreFocusOut = true;
  if (recent.length > 0) box.buttons = [{ iconPath: new ThemeIcon("history"), tooltip: t("Recent Filters") }];
}
