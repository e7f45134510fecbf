import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type {
  DeletedModel,
  ExportOptions,
  ImportedModel,
  ImportOptions,
  ModelbenchApi,
  ModelbenchModel,
  ModelbenchModelDetails,
  ModelFilter,
} from "../../api";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import { visible } from "../base/visible";
import { describeModelJob, type ModelFacts } from "../frameworks/modelFacts";
import { exportModelJob, importArchiveJob } from "../store/archive/archiveJobs";
import { LATEST, tagOfFolder } from "../store/layout";
import type { ModelSummary, Tag } from "../store/model";
import { formatTag, makeTag, parseTag } from "../store/tag";
import { deleteModelJob } from "../store/trashJobs";
import { cancellable } from "./apiCancel";
import { modelsEvent, untilListed } from "./apiEvents";
import { flaxSerialization } from "./apiFlax";
import { unloadAmong } from "./commands/moveToTrash";
import type { HostStore, OpenStore, Services, StoreId } from "./services";
import { sortedVersions } from "./tree/treeModel";

const CONFLICT_CHOICES: readonly unknown[] = ["fail", "skip", "replace", "new-version"];
const FORMATS: readonly unknown[] = ["bentomodel", "tar", "tar.gz", "tar.xz", "tar.bz2", "zip", "folder"];
const COMPRESSIONS: readonly unknown[] = ["stored", "small"];

/**
 * What other extensions are handed by `activate`. Nothing here asks the user, so what writes is refused in Restricted
 * Mode: what a folder made another extension ask for must not change the user's stores.
 */
export function createApi(services: Services): ModelbenchApi {
  const { stores } = services;
  return Object.freeze({
    version: 1 as const,
    stores: () => stores.all.map(({ id, label, store }) => ({ id, label, home: store.home })),
    list: async (filter: ModelFilter = {}) => list(services, filter),
    get: async (tag: string, options = {}) => get(services, tag, options.store ?? "own"),
    import: async (source: string, options: ImportOptions = {}) => importArchive(services, source, options),
    export: async (tag: string, options: ExportOptions) => exportModel(services, tag, options),
    delete: async (tags: readonly string[], options = {}) => deleteModels(services, tags, options),
    onDidChangeModels: modelsEvent(services),
    flax: flaxSerialization,
  } satisfies ModelbenchApi);
}

async function list(services: Services, { labels = {}, name, store }: ModelFilter): Promise<ModelbenchModel[]> {
  const { catalog, stores } = services;
  const asked = store === undefined ? stores.all : [openStore(services, store)];
  const found: ModelbenchModel[] = [];
  for (const { id } of asked) {
    const snapshot = await catalog.ready(id);
    if (snapshot?.error) throw new ModelbenchError(snapshot.error.code, snapshot.error.message, snapshot.error);
    const entries = [...(snapshot?.names ?? [])].filter(([candidate]) => name === undefined || candidate === name);
    const accepts = await labelFilter(services, id, labels);
    const models = entries.flatMap(([, entry]) => entry.models).filter((model) => accepts(formatTag(model.tag)));
    found.push(...sortedVersions(models, "created").map((summary) => modelOf(id, summary)));
  }
  return found;
}

async function labelFilter(
  { catalog }: Services,
  store: StoreId,
  wanted: Readonly<Record<string, string>>,
): Promise<(tag: string) => boolean> {
  const pairs = Object.entries(wanted);
  if (pairs.length === 0) return () => true;
  const labels = await catalog.labels(store);
  return (tag) => pairs.every(([key, value]) => labels.get(tag)?.get(key) === value);
}

async function get(services: Services, tag: string, id: StoreId): Promise<ModelbenchModelDetails> {
  requireText("tag", tag);
  const { store } = openStore(services, id);
  const facts = await services.jobs.run(describeModelJob, { home: store.home, tag });
  return detailsOf(id, facts, store.latestOf(tagOfFolder(facts.path).name));
}

async function importArchive(services: Services, source: string, options: ImportOptions): Promise<ImportedModel> {
  const { catalog, jobs, settings } = services;
  requirePath("source", source);
  const { onConflict = "fail", onProgress, signal, store: id = "own" } = options;
  requireOneOf("onConflict", onConflict, CONFLICT_CHOICES);
  const { store } = writable(services, id);
  const input = { home: store.home, source, onConflict, limits: settings().importLimits };
  const done = await cancellable(signal, (abort) => jobs.run(importArchiveJob, input, { signal: abort, onProgress }));
  const ref = { store: id, tag: done.tag };
  if (done.action === "replaced") await unloadAmong(services, [ref]);
  await untilListed(catalog, [ref], "there");
  // Only a dry run answers with what it would do.
  return { ...ref, action: done.action as ImportedModel["action"], bytes: done.bytes };
}

async function exportModel(services: Services, tag: string, options: ExportOptions) {
  requireText("tag", tag);
  requirePath("destination", options?.destination);
  const { compression, destination, format, onProgress, signal, store: id = "own" } = options;
  if (format !== undefined) requireOneOf("format", format, FORMATS);
  if (compression !== undefined) requireOneOf("compression", compression, COMPRESSIONS);
  const { home } = writable(services, id).store;
  const input = { home, tag, destination, ...(format && { format }), ...(compression && { compression }) };
  const { jobs } = services;
  return cancellable(signal, (abort) => jobs.run(exportModelJob, input, { signal: abort, onProgress }));
}

async function deleteModels(
  services: Services,
  tags: readonly string[],
  { signal, store: id = "own" }: { readonly store?: string; readonly signal?: ExportOptions["signal"] },
): Promise<DeletedModel[]> {
  const { catalog, jobs } = services;
  if (!Array.isArray(tags)) throw misuse("tags must be a list of texts.");
  const { store } = writable(services, id);
  const wanted = tags.map((tag) => exactTag(tag));
  for (const tag of wanted) requireThere(store, tag);
  const deleted: DeletedModel[] = [];
  try {
    await cancellable(signal, async (abort) => {
      for (const tag of wanted) {
        throwIfAborted(abort);
        await unloadAmong(services, [{ store: id, tag: formatTag(tag) }]);
        const entry = await jobs.run(deleteModelJob, { home: store.home, tag });
        deleted.push({ store: id, tag: formatTag(tag), trash: entry.id });
      }
    });
  } finally {
    await untilListed(catalog, deleted, "gone");
  }
  return deleted;
}

function openStore({ stores }: Services, id: StoreId): OpenStore {
  const open = stores.all.find((store) => store.id === id);
  if (open) return open;
  throw new ModelbenchError("model.notFound", `No store ${visible(String(id))} is open.`, {
    remedy: `Open are: ${stores.all.map((store) => store.id).join(", ")}.`,
  });
}

/** @throws ModelbenchError `trust.required` in Restricted Mode */
function writable(services: Services, id: StoreId): OpenStore {
  if (services.trust.isTrusted) return openStore(services, id);
  throw new ModelbenchError("trust.required", "Other extensions change no model in Restricted Mode.", {
    remedy: "Trust this workspace, or use the commands of Modelbench.",
  });
}

function modelOf(store: StoreId, summary: ModelSummary): ModelbenchModel {
  const { creationMs, isLatest, module, path, sizeBytes, tag } = summary;
  const { name, version } = tag;
  return { store, tag: formatTag(tag), name, version, module, path, createdMs: creationMs, bytes: sizeBytes, isLatest };
}

function detailsOf(store: StoreId, facts: ModelFacts, latest: string | undefined): ModelbenchModelDetails {
  const { createdMs, files, labels, metadata, module, path } = facts;
  const tag = tagOfFolder(path);
  const signatures = Object.entries(facts.signatures).map(([method, { source: _, ...signature }]) => {
    return [method, signature] as const;
  });
  return {
    ...{ store, tag: formatTag(tag), name: tag.name, version: tag.version, module, path, createdMs },
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    isLatest: tag.version === latest,
    labels: Object.fromEntries(labels),
    metadata: Object.fromEntries(metadata),
    signatures: Object.fromEntries(signatures),
    files,
  };
}

/** Deleting takes no short forms: a name alone would be every version. */
function exactTag(text: string): Tag {
  requireText("a tag", text);
  const { name, version } = parseTag(text);
  if (version === undefined || version === LATEST) throw misuse(`${text} must be name:version.`);
  return makeTag(name, version);
}

function requireThere(store: HostStore, tag: Tag): void {
  if (existsSync(store.pathOf(tag))) return;
  throw new ModelbenchError("model.notFound", `Model '${formatTag(tag)}' is not found in the store ${store.home}.`);
}

function requireText(what: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw misuse(`${what} must be a text.`);
}

/** Extensions know nothing of the folder that the jobs process works in. */
function requirePath(what: string, value: unknown): void {
  if (typeof value !== "string" || !isAbsolute(value)) throw misuse(`${what} must be an absolute path.`);
}

function requireOneOf(what: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw misuse(`${what} must be one of ${choices.join(", ")}.`);
}

function misuse(message: string): ModelbenchError {
  return new ModelbenchError("usage", message);
}
