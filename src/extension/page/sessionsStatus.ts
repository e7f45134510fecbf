import { commands, StatusBarAlignment, type StatusBarItem, window } from "vscode";
import type { Disposable } from "../../base/scope";
import { CONTEXT_KEYS, VIEWS } from "../ids";
import type { Localize } from "../services";
import type { Sessions } from "../sessions";

/** One status bar item that is there only while a model is loaded; a click shows the view that lists them. */
export class SessionsStatus implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscription: Disposable;

  constructor(sessions: Sessions, t: Localize) {
    this.#item = window.createStatusBarItem("modelbench.loaded", StatusBarAlignment.Right, 0);
    this.#item.name = t("Loaded Models");
    this.#item.command = `${VIEWS.loaded}.focus`;
    this.#subscription = sessions.onDidChange(() => this.#show(sessions, t));
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#item.dispose();
  }

  #show(sessions: Sessions, t: Localize): void {
    const { listed, loaded } = sessions;
    void commands.executeCommand("setContext", CONTEXT_KEYS.loaded, listed.length > 0);
    if (loaded.length === 0) {
      this.#item.hide();
      return;
    }
    const isBusy = loaded.some(({ busy }) => busy);
    const count = loaded.length === 1 ? t("1 model loaded") : t("{0} models loaded", loaded.length);
    this.#item.text = `$(${isBusy ? "sync~spin" : "circuit-board"}) ${count}`;
    this.#item.tooltip = [...loaded.map(({ label }) => label), "", t("Click to show them.")].join("\n");
    this.#item.accessibilityInformation = { label: `Modelbench: ${count}`, role: "button" };
    this.#item.show();
  }
}
