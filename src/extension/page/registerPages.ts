import type { ExtensionContext, WebviewPanel } from "vscode";
import { window } from "vscode";
import { Emitter } from "../../base/events";
import type { Scope } from "../../base/scope";
import { DETAILS_EDITOR, VIEWS } from "../ids";
import type { PageServices, Pages } from "../services";
import type { OpenPages } from "./openPages";

/**
 * Registers the details editor, the test view and their restoring. Their code is read when the first of them is
 * needed, so that activation does not pay for it.
 */
export function registerPages(scope: Scope, services: PageServices, context: ExtensionContext): Pages {
  let opened: Promise<OpenPages> | undefined;
  const loadedChanged = scope.own(new Emitter<void>());
  const open = async (): Promise<OpenPages> => {
    const { OpenPages: Opened } = await import("./pages");
    const made = scope.own(new Opened(services, context));
    scope.own(made.onDidChangeLoaded(() => loadedChanged.fire()));
    return made;
  };
  const pages = (): Promise<OpenPages> => {
    opened ??= open();
    return opened;
  };
  scope.own(
    window.registerWebviewViewProvider(VIEWS.test, {
      resolveWebviewView: async (view) => (await pages()).showTestView(view),
    }),
  );
  scope.own(
    window.registerWebviewPanelSerializer(DETAILS_EDITOR, {
      deserializeWebviewPanel: async (panel: WebviewPanel, state: unknown) => (await pages()).restore(panel, state),
    }),
  );
  return {
    openDetails: async (ref, options) => (await pages()).openDetails(ref, options),
    openTest: async (ref) => (await pages()).openTest(ref),
    openSaveForm: async (initial) => (await pages()).openSaveForm(initial),
    openComparison: async (a, b) => (await pages()).openComparison(a, b),
    loaded: async () => (await opened)?.loaded() ?? [],
    onDidChangeLoaded: loadedChanged.event,
    allow: async (ref) => (await pages()).allow(ref),
    load: async (ref, signal) => (await pages()).load(ref, signal),
    restart: async (ref, signal) => (await pages()).restart(ref, signal),
    engine: async (ref) => (await pages()).engine(ref),
    chooseDevice: async (ref, device) => (await pages()).chooseDevice(ref, device),
    refresh: async () => (await opened)?.refresh(),
    unload: async (refs) => (await opened)?.unload(refs),
  };
}
