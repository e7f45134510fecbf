import { type ExtensionContext, ExtensionMode, l10n, Uri, window, workspace } from "vscode";
import type { ModelbenchApi } from "../../api";
import { Emitter } from "../base/events";
import { Scope } from "../base/scope";
import { childJobs } from "../jobs/client";
import { watchFolder, watchStore } from "../store/watch";
import { createApi } from "./api";
import { Catalog } from "./catalog";
import { dropOnTree } from "./commands/dropOnTree";
import { openSampleStore } from "./commands/openSampleStore";
import { WindowSelection } from "./comparedSelection";
import { guard } from "./guard";
import { keepTidy } from "./housekeeping";
import { followModelFolders } from "./modelFolders";
import { registerModelTexts } from "./modelTexts";
import { followNetron } from "./netron";
import { OpenStores } from "./openStores";
import { outputLog } from "./outputLog";
import { registerFileEditors } from "./page/registerFileEditors";
import { registerPages } from "./page/registerPages";
import { projectCode } from "./projectCode";
import { vscodePrompts } from "./prompts";
import { openPython } from "./python/openPython";
import { registerCommands } from "./registerCommands";
import type { Localize, Services, Trust } from "./services";
import { readSettings } from "./settings";
import { StoreAccesses } from "./storeAccesses";
import { WrittenStoreSettings } from "./storeSettings";
import { TrashBin } from "./trashBin";
import { LoadedTree } from "./tree/loadedTree";
import { ModelsTree } from "./tree/modelsTree";
import { TrashTree } from "./tree/trashTree";
import { runRefusal } from "./trust";
import { tellUnreadable } from "./unreadableStore";
import { WorkspaceHomes } from "./workspaceHomes";

/** Where the answer of `activate` holds the parts for the tests inside the extension host, and only for them. */
export const TEST_PARTS = Symbol.for("modelbench.testParts");

/** What those tests are handed. */
export interface TestApi {
  /** The parts in use; a test may put another one in place, for instance a `ui` that answers by itself. */
  readonly services: { -readonly [K in keyof Services]: Services[K] };
  /** How long `activate` took, milliseconds. */
  readonly activatedInMs: number;
}

const SAMPLE_KEY = "sampleStore.open";
/** Set to `open` for windows that show the sample store at their first start, as `npm start` does. */
const SAMPLE_VARIABLE = "MODELBENCH_SAMPLE_STORE";

let scope: Scope | undefined;

/** Puts the parts together by hand. Writes nothing, and reads at most the folder's `.env`: the first
 * reading of a store comes with the first look. */
export function activate(context: ExtensionContext): ModelbenchApi & { readonly [TEST_PARTS]?: TestApi } {
  const startedMs = performance.now();
  scope = new Scope();
  const services = buildServices(scope, context);
  registerCommands(scope, services);
  // `npm start` sets it, so that a fresh window has something to show.
  if (process.env["MODELBENCH_SAMPLE_STORE"] === "open")
    void openSampleStore(services).catch((error) => services.log.error("The sample store did not open", error));
  const api = createApi(services);
  if (context.extensionMode !== ExtensionMode.Test) return api;
  return { ...api, [TEST_PARTS]: { services, activatedInMs: performance.now() - startedMs } };
}

/** Awaited by VS Code: loaded models and jobs have ended when this answers. */
export async function deactivate(): Promise<void> {
  await scope?.dispose();
}

function buildServices(owner: Scope, context: ExtensionContext): Services {
  const t: Localize = (message, ...args) => l10n.t(message, ...args);
  const channel = owner.own(window.createOutputChannel("Modelbench", { log: true }));
  const log = outputLog(channel);
  const homes = owner.own(new WorkspaceHomes(log));
  const stores = owner.own(openStores(context, homes, t));
  const jobs = owner.own(childJobs({ entry: context.asAbsolutePath("dist/jobs.cjs"), log }));
  const catalog = owner.own(new Catalog(jobs, watchStore));
  catalog.follow(stores.all);
  owner.own(stores.onDidChange(() => catalog.follow(stores.all)));
  const accesses = owner.own(new StoreAccesses(catalog));
  owner.own(followModelFolders(log));
  owner.own(keepTidy(catalog, accesses, jobs, readSettings, log));
  owner.own(homes.onDidChange(() => stores.settingsChanged()));
  const ui = vscodePrompts(t, channel);
  owner.own(tellUnreadable(catalog, { ui, log, t }));
  void guard("modelbench.openSampleStore", { ui, log, t }, () => stores.resumeSample());
  const trust = workspaceTrust(owner, t);
  const inPython = openPython(owner, context, jobs, t);
  const settings = readSettings;
  const tree = owner.own(
    new ModelsTree({ catalog, jobs, stores, accesses, settings, trust, t, log, memory: context.workspaceState }),
  );
  const storeSettings = new WrittenStoreSettings({ homes, stores, memory: context.globalState });
  const compared = new WindowSelection();
  const netron = followNetron(owner);
  const found = { stores, storeSettings, catalog, jobs, tree, compared, netron };
  const project = projectCode(context, { jobs, log });
  const parts = { ...found, ...inPython, project, trust, settings, ui, log, t };
  const bin = owner.own(new TrashBin({ catalog, stores, jobs, watchFolder }));
  owner.own(new TrashTree(bin, stores, t));
  registerFileEditors(owner, parts, context);
  const pages = registerPages(owner, parts, context);
  const services = {
    ...parts,
    pages,
    loaded: owner.own(new LoadedTree({ pages, stores, log, t })),
    changes: registerModelTexts(owner, parts, context),
  };
  owner.own(tree.onDidDrop((drop) => void guard("modelbench.importModel", services, () => dropOnTree(services, drop))));
  return services;
}

function openStores(context: ExtensionContext, homes: WorkspaceHomes, t: Localize): OpenStores {
  return new OpenStores({
    own: () => homes.own(),
    further: () => homes.further(),
    sampleSource: context.asAbsolutePath("media/sample-store"),
    sampleHome: Uri.joinPath(context.globalStorageUri, "sample-store").fsPath,
    isSampleOpen: context.workspaceState.get(SAMPLE_KEY, process.env[SAMPLE_VARIABLE] === "open"),
    rememberSample: async (open) => context.workspaceState.update(SAMPLE_KEY, open),
    t,
  });
}

function workspaceTrust(owner: Scope, t: Localize): Trust {
  const granted = owner.own(new Emitter<void>());
  owner.own(workspace.onDidGrantWorkspaceTrust(() => granted.fire()));
  return {
    get isTrusted() {
      return workspace.isTrusted;
    },
    onDidGrant: granted.event,
    refusal: (module, origin) => runRefusal(t, module, workspace.isTrusted, origin),
  };
}
