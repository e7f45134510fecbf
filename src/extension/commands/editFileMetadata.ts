import { basename } from "node:path";
import { describeContentJob } from "../../frameworks/contentJobs";
import {
  editSafetensorsMetadataJob,
  type MetadataEntry,
  prefillMetadataJob,
} from "../../frameworks/safetensorsMetadataJobs";
import type { FileArgument } from "../ids";
import type { PickItem, Services } from "../services";
import { oneModel } from "../targets";

/** What the user does next to a list of metadata. */
type Step =
  | { readonly kind: "write" }
  | { readonly kind: "add" }
  | { readonly kind: "fill" }
  | { readonly kind: "entry"; readonly key: string; readonly value: string };

/**
 * Edits the metadata of a safetensors file outside of a model: a list that grows and changes until it is written or
 * dismissed. The values of a version's labels and metadata can be put in.
 */
export async function editFileMetadata(services: Services, file?: FileArgument): Promise<void> {
  const { jobs, t, ui } = services;
  const path = file?.fsPath ?? (await chosenFile(services));
  if (path === undefined) return;
  const name = basename(path);
  const { metadata } = await jobs.run(describeContentJob, { kind: "file", path });
  const old = new Map(metadata);
  const edited = new Map(metadata);
  for (;;) {
    const { set, remove } = changesOf(old, edited);
    const step = await ui.pick(t("Metadata of {0}", name), stepsOf(services, edited, set.length + remove.length));
    if (!step) return;
    if (step.kind === "write") {
      await ui.progress(t("Writing {0}", name), (signal, report) =>
        jobs.run(editSafetensorsMetadataJob, { path, set, remove }, { signal, onProgress: report }),
      );
      await ui.inform(t("The metadata of {0} is written; its tensors are as they were.", name));
      return;
    }
    if (step.kind === "add") await addEntry(services, edited);
    else if (step.kind === "fill") await fillIn(services, edited);
    else await changeEntry(services, edited, step.key, step.value);
  }
}

async function chosenFile({ t, ui }: Services): Promise<string | undefined> {
  const filters = { safetensors: ["safetensors"] };
  const paths = await ui.pickFiles({ title: t("Edit which file?"), action: t("Edit"), many: false, filters });
  return paths?.[0];
}

function stepsOf({ t }: Services, edited: ReadonlyMap<string, string>, changes: number): PickItem<Step>[] {
  const write = { label: t("Write {0} Changes", changes), value: { kind: "write" } as const };
  return [
    ...(changes > 0 ? [write] : []),
    { label: t("Add an Entry…"), value: { kind: "add" } },
    { label: t("Fill In from a Model…"), value: { kind: "fill" } },
    ...[...edited].map(([key, value]): PickItem<Step> => {
      return { label: key, description: value.slice(0, 200), value: { kind: "entry", key, value } };
    }),
  ];
}

function changesOf(old: ReadonlyMap<string, string>, edited: ReadonlyMap<string, string>) {
  const set: MetadataEntry[] = [...edited].filter(([key, value]) => old.get(key) !== value);
  return { set, remove: [...old.keys()].filter((key) => !edited.has(key)) };
}

async function addEntry({ t, ui }: Services, edited: Map<string, string>): Promise<void> {
  const key = await ui.input({
    title: t("Add an Entry"),
    prompt: t("Its name, for instance format"),
    value: "",
    check: (text) =>
      text === "" ? t("Type a name.") : edited.has(text) ? t("This name is there already.") : undefined,
  });
  if (key === undefined) return;
  const value = await ui.input({ title: key, prompt: t("Its value"), value: "", check: () => undefined });
  if (value !== undefined) edited.set(key, value);
}

async function changeEntry(
  { t, ui }: Services,
  edited: Map<string, string>,
  key: string,
  value: string,
): Promise<void> {
  const change = { label: t("Change the Value…"), value: "change" };
  const remove = { label: t("Remove"), value: "remove" };
  // A line of text cannot hold several lines.
  const action = await ui.pick(key, /[\r\n]/.test(value) ? [remove] : [change, remove]);
  if (action === "remove") edited.delete(key);
  if (action !== "change") return;
  const next = await ui.input({ title: key, prompt: t("Its value"), value, check: () => undefined });
  if (next !== undefined) edited.set(key, next);
}

async function fillIn(services: Services, edited: Map<string, string>): Promise<void> {
  const { jobs, stores, t } = services;
  const model = await oneModel(services, undefined, t("Fill In from Which Model?"));
  if (!model) return;
  const input = { home: stores.of(model).home, tag: model.tag, own: [...edited] };
  for (const [key, value] of await jobs.run(prefillMetadataJob, input)) edited.set(key, value);
}
