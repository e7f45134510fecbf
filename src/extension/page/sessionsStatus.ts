import { StatusBarAlignment, type StatusBarItem, window } from "vscode";
import type { Disposable } from "../../base/scope";
import { VIEWS } from "../ids";
import type { Localize } from "../services";
import type { Sessions } from "../sessions";

/** One status bar item that is there only while a model is loaded. */
export class SessionsStatus implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscription: Disposable;

  constructor(sessions: Sessions, t: Localize) {
    this.#item = window.createStatusBarItem("modelbench.loaded", StatusBarAlignment.Right, 0);
    this.#item.name = t("Loaded Models");
    this.#item.command = `${VIEWS.test}.focus`;
    this.#subscription = sessions.onDidChange(() => this.#show(sessions, t));
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#item.dispose();
  }

  #show(sessions: Sessions, t: Localize): void {
    const { loaded } = sessions;
    if (loaded.length === 0) {
      this.#item.hide();
      return;
    }
    const isBusy = loaded.some(({ busy }) => busy);
    const count = loaded.length === 1 ? t("1 model loaded") : t("{0} models loaded", loaded.length);
    this.#item.text = `$(${isBusy ? "sync~spin" : "circuit-board"}) ${count}`;
    this.#item.tooltip = loaded.map(({ label }) => label).join("\n");
    this.#item.accessibilityInformation = { label: `Modelbench: ${count}`, role: "button" };
    this.#item.show();
  }
}
