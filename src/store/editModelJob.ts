import type { JobKey } from "../base/ports";
import type { Tag } from "./model";
import { ModelStore } from "./modelStore";
import type { ModelEdit } from "./modelYaml/editModelInfo";
import { formatTag } from "./tag";

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
