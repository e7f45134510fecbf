import type { JobKey } from "../base/ports";

/** A line of a file's metadata. */
export type MetadataEntry = readonly [key: string, value: string];

/** What changes in the metadata of a safetensors file; keys that are not named stay what they are. */
export interface MetadataEdit {
  /** Absolute. */
  readonly path: string;
  readonly set: readonly MetadataEntry[];
  readonly remove: readonly string[];
}

/**
 * Edits the string metadata of a safetensors file outside of a model: a new file with a new header and the very same
 * tensors takes its place in one step.
 */
export const editSafetensorsMetadataJob: JobKey<MetadataEdit, { readonly bytes: number; readonly changed: boolean }> = {
  name: "safetensors.metadata",
};

/** What the metadata of a file that has `own` becomes when the labels and the metadata of a version are added to it. */
export const prefillMetadataJob: JobKey<
  { readonly home: string; readonly tag: string; readonly own: readonly MetadataEntry[] },
  readonly MetadataEntry[]
> = { name: "safetensors.prefill" };
