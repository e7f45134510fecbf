import type { Locator } from "playwright-core";
import { THEMES } from "./rig";
import type { Workbench } from "./workbench";

/** What VS Code takes to act on a key that it handles asynchronously. */
const KEY_MS = 150;
/** How long something may take to get the focus. */
const FOCUS_MS = 2_000;
/** Keys pressed at most on the way to something. */
const MANY = 60;

/** How a person works the window: one with a mouse, one without. Rows are named by how their text begins. */
export interface Hands {
  readonly name: string;
  /** Shows the models view. */
  openModels(): Promise<void>;
  /** Opens what a row stands for. */
  open(row: RegExp): Promise<void>;
  /** Selects rows, in the order in which they stand. */
  select(rows: readonly RegExp[]): Promise<void>;
  /** An entry of a row's context menu. */
  menu(row: RegExp, entry: string): Promise<void>;
  /** Answers a modal dialog by one of its buttons. */
  dialog(button: string): Promise<void>;
  /** Presses a button of a notification. */
  notification(text: string | RegExp, button: string): Promise<void>;
  /** Chooses an entry of an open quick pick. */
  pick(text: string): Promise<void>;
  /** Puts a value into a control of the visible page. */
  enter(testId: string, value: string): Promise<void>;
  /** Turns to a section of the visible page. */
  section(name: "overview" | "signatures" | "test"): Promise<void>;
  /** Starts a run on the visible page. */
  run(): Promise<void>;
}

/** Who works without a mouse does so in high contrast. */
export function settingsFor(hands: (workbench: Workbench) => Hands): Record<string, unknown> {
  return hands === keyboard ? { "workbench.colorTheme": THEMES.highContrast } : {};
}

/** By pointing and clicking. */
export function mouse(workbench: Workbench): Hands {
  const { page } = workbench;
  return {
    name: "with the mouse",
    async openModels() {
      // A click on the one that is open would close it.
      const icon = page.locator(`.activitybar .action-item:has(.action-label[aria-label^="Modelbench"])`);
      await icon.waitFor();
      if (!(await icon.evaluate((item) => item.classList.contains("checked")))) await icon.click();
    },
    open: (row) => workbench.row(row).click(),
    async select(rows) {
      for (const [i, row] of rows.entries()) {
        await workbench.row(row).click(i === 0 ? {} : { modifiers: ["ControlOrMeta"] });
      }
    },
    menu: (row, entry) => workbench.contextMenu(workbench.row(row), entry),
    dialog: (button) => workbench.dialog(button),
    async notification(text, button) {
      // What the pointer is on does not go away by itself.
      await workbench.notification(text).hover();
      await workbench.notificationButton(text, button).click();
    },
    pick: (text) => workbench.pick(text),
    enter: (testId, value) => workbench.view().getByTestId(testId).fill(value),
    run: () => workbench.view().getByTestId("run").click(),
    section: (name) => workbench.view().getByTestId(`section-tab-${name}`).click(),
  };
}

/** By keys alone: nothing is clicked, and what has the focus is looked up as a screen reader would. */
export function keyboard(workbench: Workbench): Hands {
  const { page } = workbench;
  const press = async (key: string): Promise<void> => {
    await page.keyboard.press(key);
    await page.waitForTimeout(KEY_MS);
  };
  const focusedRow = page.locator(".sidebar .monaco-list:focus-within .monaco-list-row.focused");
  /** Presses a key until what has the focus shows a text that fits. */
  const stepTo = async (focused: Locator, fits: (text: string) => boolean, key: string): Promise<void> => {
    for (let i = 0; i < MANY; i++) {
      const text = await focused
        .first()
        .textContent({ timeout: FOCUS_MS })
        .catch(() => "");
      if (fits((text ?? "").replaceAll("\u00a0", " ").trim())) return;
      await press(key);
    }
    throw new Error(`the key ${key} does not lead there`);
  };
  const walkTo = (row: RegExp): Promise<void> => stepTo(focusedRow, (text) => row.test(text), "ArrowDown");
  const choose = async (focused: Locator, wanted: string, key: string): Promise<void> => {
    await stepTo(focused, (text) => text.includes(wanted), key);
    await press("Enter");
  };
  const command = async (title: string): Promise<void> => {
    await press("F1");
    await workbench.quickInput().waitFor();
    await page.keyboard.type(title);
    // Another command may fit what was typed, too, and come first.
    await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
    await choose(page.locator(".quick-input-list .monaco-list-row.focused"), title, "ArrowDown");
  };
  const showModels = async (): Promise<void> => {
    // Extensions come a moment after the window has drawn itself, and their commands with them.
    await page.locator(`.activitybar .action-label[aria-label^="Modelbench"]`).waitFor();
    await command("View: Show Modelbench");
  };
  const focusModels = async (): Promise<void> => {
    await command("Modelbench: Focus on Models View");
    await page.locator(".sidebar .monaco-list:focus-within").waitFor();
    await press("Home");
  };
  return {
    name: "by keys alone, in high contrast",
    openModels: showModels,
    async open(row) {
      await focusModels();
      await walkTo(row);
      await press("Enter");
    },
    async select(rows) {
      await focusModels();
      for (const row of rows) {
        await walkTo(row);
        await press("Control+Shift+Enter");
      }
    },
    async menu(row, entry) {
      await focusModels();
      await walkTo(row);
      await press("Shift+F10");
      await choose(page.locator(".monaco-menu .action-item.focused"), entry, "ArrowDown");
    },
    async dialog(button) {
      await page.locator(".monaco-dialog-box").waitFor();
      await choose(page.locator(".monaco-dialog-box .monaco-button:focus"), button, "Tab");
    },
    async notification(text, button) {
      await workbench.notification(text).waitFor();
      await command("Notifications: Focus Notification Toast");
      await walkByKey(workbench, workbench.notificationButton(text, button), "Tab");
      await press("Enter");
    },
    pick: (text) => choose(page.locator(".quick-input-list .monaco-list-row.focused"), text, "ArrowDown"),
    async enter(testId, value) {
      // The cells of a grid are one stop of the Tab key; arrows lead from one to the next.
      const isLaterCell = /^cell-.*-[1-9]\d*$/.test(testId);
      await walkByKey(workbench, workbench.view().getByTestId(testId), isLaterCell ? "ArrowRight" : "Tab");
      await press("Control+A");
      await page.keyboard.type(value);
    },
    run: () => press("Control+Enter"),
    async section(name) {
      const tab = workbench.view().getByTestId(`section-tab-${name}`);
      await walkByKey(workbench, workbench.view().locator("[data-testid^=section-tab-][aria-selected=true]"), "Tab");
      for (let i = 0; i < MANY && (await tab.getAttribute("aria-selected")) !== "true"; i++) await press("ArrowRight");
    },
  };
}

/** Presses a key until the control has the focus. */
async function walkByKey({ page }: Workbench, control: Locator, key: string): Promise<void> {
  await control.waitFor();
  for (let i = 0; i < MANY; i++) {
    if (await control.evaluate((element) => element.matches(":focus-within"))) return;
    await page.keyboard.press(key);
    await page.waitForTimeout(KEY_MS / 3);
  }
  throw new Error("no key leads to the control");
}
