import type { Frame, FrameLocator, Locator, Page } from "playwright-core";

/** What the file dialog takes to list a folder or to act on an Enter. */
const DIALOG_MS = 700;

/** What a menu takes to go away after a click. */
const MENU_MS = 300;
/** Milliseconds for an entry to appear, and how often a menu is opened for it. */
const ITEM_MS = 5_000;
const MENU_TRIES = 4;

/** Milliseconds that a page may take to show itself. */
const PAGE_MS = 10_000;

/** What a window may take to go away. */
const RELOAD_MS = 20_000;

/** The parts of VS Code's window that a test touches, by what a user sees of them. */
export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Waits until the window has drawn itself. */
  async ready(): Promise<void> {
    await this.page.locator(".monaco-workbench .activitybar").waitFor();
  }

  /** Loads the window anew and waits until it has drawn itself. */
  async reload(): Promise<void> {
    // The old page is gone at once or after a while; the mark tells it from the new one.
    await this.page.evaluate("globalThis.isOld = true");
    await this.command("Developer: Reload Window");
    for (const deadline = Date.now() + RELOAD_MS; Date.now() < deadline; ) {
      if (!(await this.page.evaluate("globalThis.isOld === true").catch(() => true))) break;
      await this.page.waitForTimeout(100);
    }
    await this.ready();
  }

  /** Opens a container of the activity bar. @param name its title */
  async openContainer(name: string): Promise<void> {
    await this.page.locator(`.activitybar .action-label[aria-label^="${name}"]`).click();
  }

  /** A row of the side bar's trees, by a text that it shows. */
  row(text: string | RegExp): Locator {
    return this.page.locator(".sidebar .pane-body .monaco-list-row", { hasText: text });
  }

  /** One of the buttons that a row shows under the pointer. */
  async rowAction(row: Locator, title: string): Promise<void> {
    await row.hover();
    await row.locator(`.actions .action-label[aria-label^="${title}"]`).click();
  }

  /**
   * Opens the test of a model by the button of its row. A row that is drawn anew between press and release, as all are
   * while a store is being read, swallows the click: a person clicks again.
   * @param name the model's
   */
  async testModel(row: Locator, name: string): Promise<void> {
    await this.#opened(
      () => this.rowAction(row, "Test Model"),
      () => this.view().getByTestId("tag").filter({ hasText: name }).waitFor({ timeout: PAGE_MS }),
      `The test of ${name} does not open.`,
    );
    await this.view().getByTestId("section-tab-test").waitFor();
  }

  /** A button of a view that shows a welcome text. */
  welcomeButton(label: string): Locator {
    return this.page.locator(".sidebar .welcome-view-content .monaco-button", { hasText: label });
  }

  /** An entry of a row's context menu. What a command before it changes comes to a menu later, and to an open one never. */
  async contextMenu(row: Locator, entry: string): Promise<void> {
    const item = this.page.locator(".monaco-menu .action-item:not(.disabled)", { hasText: entry }).first();
    await this.#opened(
      () => row.click({ button: "right" }),
      () => item.waitFor({ timeout: ITEM_MS }),
      `The menu has no entry ${entry}.`,
    );
    // A menu ignores clicks for a moment after it has opened.
    while (await item.isVisible()) {
      await item.click({ timeout: MENU_MS }).catch(() => undefined);
      await this.page.waitForTimeout(MENU_MS);
    }
  }

  /** Opens something that may close at once or know too little, again and again until it can be used. */
  async #opened(open: () => Promise<void>, use: () => Promise<void>, failure: string): Promise<void> {
    for (let left = MENU_TRIES; left > 0; left--) {
      await open();
      const isUsed = await use().then(
        () => true,
        () => false,
      );
      if (isUsed) return;
      await this.page.keyboard.press("Escape");
    }
    throw new Error(failure);
  }

  /** The side bar of a window without models offers the sample store, and this takes it. */
  async openSampleStore(): Promise<void> {
    await this.openContainer("Modelbench");
    await this.welcomeButton("Open Sample Store").click();
  }

  /** Runs a command by its full title, as the palette shows it. */
  async command(title: string): Promise<void> {
    const input = this.quickInput();
    // Whatever takes the focus in this moment closes the palette again.
    await this.#opened(
      () => this.page.keyboard.press("F1"),
      () => input.fill(`>${title}`, { timeout: ITEM_MS }),
      `The palette does not stay open for ${title}.`,
    );
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  }

  /** Runs a command that asks for a line of text, and answers it. */
  async ask(title: string, answer: string): Promise<void> {
    await this.command(title);
    // The palette, which may still be on its way out, has no title.
    await this.page.locator(".quick-input-title", { hasText: /\S/ }).waitFor();
    await this.quickInput().fill(answer);
    await this.quickInput().press("Enter");
  }

  /** The field of the palette, of a pick and of the simple file dialog. */
  quickInput(): Locator {
    return this.page.locator(".quick-input-widget:not(.hidden) .quick-input-box input");
  }

  /** Chooses an entry of an open quick pick. */
  async pick(text: string | RegExp): Promise<void> {
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first().click();
  }

  /** Types a path into VS Code's own file dialog and accepts it. @param dialog its title, where a pick comes before it */
  async fileDialog(path: string, dialog = /\S/): Promise<void> {
    const input = this.quickInput();
    // The palette, which may still be on its way out, has no title.
    await this.page.locator(".quick-input-title", { hasText: dialog }).waitFor();
    const title = await this.#quickTitle();
    // While the dialog lists a folder it overwrites what is typed and ignores Enter: a person does it again, too.
    while ((await this.#quickTitle()) === title) {
      await input.fill(path);
      await this.page.waitForTimeout(DIALOG_MS);
      if ((await input.inputValue()) === path) await input.press("Enter");
      await this.page.waitForTimeout(DIALOG_MS);
    }
  }

  /** Imports everything that the preview of an import has ticked. */
  async acceptPreview(): Promise<void> {
    await this.page.locator(".quick-input-title", { hasText: /^Import \d+ model/ }).waitFor();
    await this.quickInput().press("Enter");
  }

  /** What the open quick input is about; empty when none is open. */
  async #quickTitle(): Promise<string> {
    const titles = this.page.locator(".quick-input-widget:not(.hidden) .quick-input-title");
    return (await this.page.locator(".quick-input-widget").isVisible()) ? (await titles.allTextContents()).join() : "";
  }

  /** A notification toast by a text in it. */
  notification(text: string | RegExp): Locator {
    return this.page.locator(".notifications-toasts .notification-list-item", { hasText: text });
  }

  /** A button of a toast. */
  notificationButton(text: string | RegExp, label: string): Locator {
    return this.notification(text).locator(".notification-list-item-buttons-container .monaco-button", {
      hasText: label,
    });
  }

  /** Answers a modal dialog. */
  async dialog(button: string): Promise<void> {
    await this.page.locator(".monaco-dialog-box .monaco-button", { hasText: button }).click();
  }

  /** The document of the only visible webview. */
  view(): FrameLocator {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
  }

  /** The same as a frame, in which scripts can be run past the page's content policy. */
  async frame(): Promise<Frame> {
    const body = await this.view().locator("body").elementHandle();
    const frame = await body?.ownerFrame();
    if (!frame) throw new Error("no webview is visible");
    return frame;
  }
}
