import type { Locator } from "playwright-core";
import { THEMES } from "./rig";
import type { Workbench } from "./workbench";

/** What VS Code takes to act on a key that it handles asynchronously. */
const KEY_MS = 150;
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
  /** Cancels what a progress notification tells of. */
  cancel(text: string | RegExp): Promise<void>;
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
    notification: (text, button) => workbench.notificationButton(text, button).click(),
    pick: (text) => workbench.pick(text),
    enter: (testId, value) => workbench.view().getByTestId(testId).fill(value),
    run: () => workbench.view().getByTestId("run").click(),
    section: (name) => workbench.view().getByTestId(`section-tab-${name}`).click(),
    async cancel(text) {
      await page.locator(".notifications-toasts .notification-list-item", { hasText: text }).hover();
      await workbench.notificationButton(text, "Cancel").click();
    },
  };
}

/** By keys alone: nothing is clicked, and what has the focus is looked up as a screen reader would. */
export function keyboard(workbench: Workbench): Hands {
  const { page } = workbench;
  const press = async (key: string): Promise<void> => {
    await page.keyboard.press(key);
    await page.waitForTimeout(KEY_MS);
  };
  const command = async (title: string): Promise<void> => {
    await press("F1");
    await workbench.quickInput().waitFor();
    await page.keyboard.type(title);
    await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title }).waitFor();
    await press("Enter");
  };
  const focusedRow = page.locator(".sidebar .monaco-list:focus-within .monaco-list-row.focused");
  /** Walks down the models view until the row has the focus. */
  const walkTo = async (row: RegExp): Promise<void> => {
    for (let i = 0; i < MANY; i++) {
      const text =
        (await focusedRow
          .first()
          .textContent({ timeout: 2_000 })
          .catch(() => "")) ?? "";
      if (row.test(text.replaceAll("\u00a0", " ").trim())) return;
      await press("ArrowDown");
    }
    throw new Error(`no key leads to the row ${row}`);
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
      const focused = page.locator(".monaco-menu .action-item.focused");
      for (let i = 0; i < MANY; i++) {
        if (((await focused.textContent({ timeout: 2_000 }).catch(() => "")) ?? "").includes(entry)) break;
        await press("ArrowDown");
      }
      await press("Enter");
    },
    async dialog(button) {
      await page.locator(".monaco-dialog-box").waitFor();
      const focused = page.locator(".monaco-dialog-box .monaco-button:focus");
      for (let i = 0; i < MANY; i++) {
        if (((await focused.textContent({ timeout: 500 }).catch(() => "")) ?? "").includes(button)) break;
        await press("Tab");
      }
      await press("Enter");
    },
    async notification(text, button) {
      await workbench.notification(text).waitFor();
      await command("Notifications: Focus Notification Toast");
      await walkByKey(workbench, workbench.notificationButton(text, button), "Tab");
      await press("Enter");
    },
    async pick(text) {
      const focused = page.locator(".quick-input-list .monaco-list-row.focused");
      for (let i = 0; i < MANY; i++) {
        if (((await focused.textContent({ timeout: 2_000 }).catch(() => "")) ?? "").includes(text)) break;
        await press("ArrowDown");
      }
      await press("Enter");
    },
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
    async cancel(text) {
      await workbench.notification(text).waitFor();
      await command("Notifications: Focus Notification Toast");
      await walkByKey(workbench, workbench.notificationButton(text, "Cancel"), "Tab");
      await press("Enter");
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
