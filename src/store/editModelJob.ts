import type { JobKey } from "../base/ports";
import type { ModelSignature, Tag } from "./model";
import { ModelStore } from "./modelStore";
import { formatTag } from "./tag";

/** What changes in a model.yaml; everything else stays as it is, byte for byte. As plain data, to travel to a job. */
export interface ModelEdit {
  readonly labels?: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] };
  /** Values are JSON texts: `1` is an integer, `1.0` a float. */
  readonly metadata?: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] };
  readonly signatures?: { readonly set: Readonly<Record<string, ModelSignature>>; readonly remove: readonly string[] };
}

/** Which version of the store at `home` changes, and how. */
export interface EditModelInput {
  readonly home: string;
  readonly tag: Tag;
  readonly edit: ModelEdit;
}

/** Edits labels, metadata and signatures of a version in place; `changed` is false when all of it was so already. */
export const editModelJob: JobKey<EditModelInput, { readonly tag: string; readonly changed: boolean }> = {
  name: "store.edit",
};

/** The work behind `editModelJob`. @throws ModelbenchError as `ModelStore.edit` */
export async function runEditModel({ home, tag, edit }: EditModelInput) {
  return { tag: formatTag(tag), changed: await new ModelStore(home).edit(tag, edit) };
}
