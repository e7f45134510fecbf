import {
  commands,
  env,
  type LogOutputChannel,
  Position,
  ProgressLocation,
  type QuickPickItem,
  Range,
  UIKind,
  Uri,
  window,
} from "vscode";
import { humanSize } from "../base/humanSize";
import type { JobProgress } from "../base/ports";
import { visible } from "../base/visible";
import { fileDialogs } from "./fileDialogs";
import { inputLive } from "./liveInput";
import { notificationText } from "./notificationText";
import { review } from "./reviewPick";
import type { InputQuestion, Localize, PickItem, Report, Ui } from "./services";

/**
 * The prompts and notifications of VS Code. One of our notifications is in sight at a time: when another one
 * comes, those before it move to the notification centre.
 */
export function vscodePrompts(t: Localize, channel: LogOutputChannel): Ui {
  let unanswered = 0;
  const notify = async (show: () => Thenable<string | undefined>): Promise<string | undefined> => {
    if (unanswered > 0) await commands.executeCommand("notifications.hideToasts");
    unanswered += 1;
    try {
      return await show();
    } finally {
      unanswered -= 1;
    }
  };
  const showLog = (): void => channel.show(true);
  return {
    pick: pickOne,
    pickMany,
    review,
    input,
    inputLive: (question) => inputLive(t, question),
    async confirm(message, action, detail) {
      const options = detail === undefined ? { modal: true } : { modal: true, detail };
      return (await window.showWarningMessage(message, options, action)) === action;
    },
    async decide(message, detail, actions) {
      // The first button is the one that Enter presses, and this one Escape, too: it changes nothing.
      const refuse = { title: t("Do Not Allow"), isCloseAffordance: true };
      const all = [refuse, ...actions.map((title) => ({ title }))];
      const pressed = await window.showWarningMessage(message, { modal: true, detail }, ...all);
      return actions.find((action) => action === pressed?.title);
    },
    async inform(message, action) {
      const actions = action === undefined ? [] : [action];
      return (await notify(() => window.showInformationMessage(notificationText(message), ...actions))) !== undefined;
    },
    async offer(message, actions) {
      const pressed = await notify(() => window.showInformationMessage(notificationText(message), ...actions));
      return actions.find((action) => action === pressed);
    },
    showFailure(message, remedy) {
      const text = notificationText(remedy === undefined ? message : `${message} ${remedy}`);
      const offerLog = async () => {
        const action = t("Show Log");
        if ((await notify(() => window.showErrorMessage(text, action))) === action) showLog();
      };
      void offerLog();
    },
    progress: (title, work) => progress(t, title, work),
    ...fileDialogs,
    copy: async (text) => env.clipboard.writeText(text),
    async openWith(path, editor) {
      await commands.executeCommand("vscode.openWith", Uri.file(path), editor);
    },
    async openText(path, at) {
      const caret = at && new Position(at.line - 1, at.column - 1);
      const selection = caret === undefined ? {} : { selection: new Range(caret, caret) };
      await window.showTextDocument(Uri.file(path), { preview: true, ...selection });
    },
    canRevealInOs: env.uiKind === UIKind.Desktop && env.remoteName === undefined,
    async revealInOs(path) {
      await commands.executeCommand("revealFileInOS", Uri.file(path));
    },
    showLog,
  };
}

async function pickOne<T>(title: string, items: readonly PickItem<T>[]): Promise<T | undefined> {
  const chosen = await window.showQuickPick(items.map(quickPickItem), {
    title,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.value;
}

async function pickMany<T>(title: string, items: readonly PickItem<T>[]): Promise<readonly T[] | undefined> {
  const chosen = await window.showQuickPick(items.map(quickPickItem), {
    title,
    canPickMany: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.map((item) => item.value);
}

async function input({ title, prompt, value, selection, check }: InputQuestion): Promise<string | undefined> {
  return window.showInputBox({
    title,
    prompt,
    value,
    ...(selection === undefined ? {} : { valueSelection: [...selection] }),
    ignoreFocusOut: true,
    validateInput: (text) => check(text),
  });
}

function quickPickItem<T>(item: PickItem<T>): QuickPickItem & { value: T } {
  const { label, value } = item;
  return {
    label,
    value,
    ...(item.description === undefined ? {} : { description: item.description }),
    ...(item.detail === undefined ? {} : { detail: item.detail }),
    ...(item.picked === undefined ? {} : { picked: item.picked }),
  };
}

/** Work that is done sooner than this is not told of: a notification that flashes by only disturbs. */
const QUICK_MS = 300;

/** Percentages are told as steps, because that is what VS Code adds up. */
async function progress<T>(
  t: Localize,
  title: string,
  work: (signal: AbortSignal, report: Report) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let latest: JobProgress | undefined;
  let show = (step: JobProgress): void => {
    latest = step;
  };
  const running = work(controller.signal, (step) => show(step));
  if (await endsWithin(running, QUICK_MS)) return running;
  const location = ProgressLocation.Notification;
  return window.withProgress({ location, title: notificationText(title), cancellable: true }, async (bar, token) => {
    const subscription = token.onCancellationRequested(() => controller.abort());
    let percent = 0;
    show = (step) => {
      const reached = step.totalBytes ? Math.min(100, (100 * step.doneBytes) / step.totalBytes) : percent;
      bar.report({ message: notificationText(progressText(t, step)), increment: Math.max(0, reached - percent) });
      percent = Math.max(percent, reached);
    };
    if (latest) show(latest);
    try {
      return await running;
    } finally {
      subscription.dispose();
    }
  });
}

/** Whether something ends, well or not, within this time. */
async function endsWithin(running: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = running.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, late]).finally(() => clearTimeout(timer));
}

function progressText(t: Localize, { doneBytes, totalBytes, current }: JobProgress): string {
  const done = humanSize(doneBytes);
  const bytes = totalBytes === undefined ? done : t("{0} of {1}", done, humanSize(totalBytes));
  return current === undefined ? bytes : `${bytes} · ${visible(current)}`;
}
