import { randomBytes } from "node:crypto";
import { env, l10n, Uri, type Webview } from "vscode";
import { type Handlers, HostPeer } from "../../../webview/protocol/hostPeer";
import type { HostEvents } from "../../../webview/protocol/messages";
import { pageStrings } from "../../../webview/protocol/strings";
import { type Disposable, Scope } from "../../base/scope";
import { failureView } from "./failureView";
import { pageHtml } from "./html";
import type { ModelTest } from "./modelTest";

/** A page is loaded again at most this often because it speaks another version; then something is really wrong. */
const MAX_RELOADS = 2;

/** State changes are passed on at most this often, in milliseconds: a run of many copies makes many. */
const STATE_INTERVAL_MS = 30;

/** What a page is about, and what of it is to be seen first. */
export type PageStart = Pick<HostEvents["page/init"], "subject" | "section" | "edit">;

/** Loads the page into a webview and speaks with it until it is disposed. */
export class WebviewPage implements Disposable {
  readonly peer: HostPeer;
  readonly #webview: Webview;
  readonly #extension: Uri;
  readonly #scope = new Scope();
  readonly #start: () => PageStart;
  #followed: { readonly test: ModelTest; readonly subscriptions: Scope } | undefined;
  #stateTimer: ReturnType<typeof setTimeout> | undefined;
  #reloads = 0;

  /** @param start says what the page is about, each time it has been loaded */
  constructor(webview: Webview, extension: Uri, handlers: Handlers, start: () => PageStart) {
    this.#webview = webview;
    this.#extension = extension;
    this.#start = start;
    webview.options = { enableScripts: true, localResourceRoots: [Uri.joinPath(extension, "dist", "webview")] };
    this.peer = new HostPeer(
      {
        post: (message) => void webview.postMessage(message),
        onReady: () => this.peer.send("page/init", { ...this.#start(), strings: texts(), locale: env.language }),
        onMismatch: () => this.#reload(),
        describe: failureView,
      },
      handlers,
    );
    this.#scope.own(webview.onDidReceiveMessage((message: unknown) => this.peer.receive(message)));
    this.#load();
  }

  /** Tells the page that it is about something else now. */
  retarget(): void {
    this.#unfollow();
    this.peer.send("page/subject", this.#start());
  }

  /** Passes on every change of a test from now on; edits of this page itself are left out. */
  follow(test: ModelTest): void {
    if (this.#followed?.test === test) return;
    this.#unfollow();
    const subscriptions = new Scope();
    subscriptions.own(test.onDidChange(() => this.#passState(test)));
    subscriptions.own(
      test.onDidChangeDrafts(({ state, by }) => {
        if (by !== this) this.peer.send("test/drafts", state);
      }),
    );
    this.#followed = { test, subscriptions };
  }

  /** Sends the state of the followed test, for what changed outside of it, such as Workspace Trust. */
  refreshTest(): void {
    if (this.#followed) this.#passState(this.#followed.test);
  }

  dispose(): void {
    clearTimeout(this.#stateTimer);
    this.#unfollow();
    this.peer.close();
    void this.#scope.dispose();
  }

  #passState(test: ModelTest): void {
    this.#stateTimer ??= setTimeout(() => {
      this.#stateTimer = undefined;
      this.peer.send("test/state", test.view());
    }, STATE_INTERVAL_MS);
  }

  #unfollow(): void {
    void this.#followed?.subscriptions.dispose();
    this.#followed = undefined;
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
  }

  #reload(): void {
    this.#reloads += 1;
    if (this.#reloads <= MAX_RELOADS) this.#load();
  }

  #load(): void {
    const file = (name: string): string =>
      this.#webview.asWebviewUri(Uri.joinPath(this.#extension, "dist", "webview", name)).toString();
    this.#webview.html = pageHtml({
      cspSource: this.#webview.cspSource,
      scriptUri: file("page.js"),
      styleUri: file("page.css"),
      nonce: randomBytes(18).toString("hex"),
      locale: env.language,
    });
  }
}

/** The page's texts in the language of the window. */
function texts(): Record<string, string> {
  return Object.fromEntries(Object.entries(pageStrings).map(([key, text]) => [key, l10n.t(text)]));
}
