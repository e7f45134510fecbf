import type { JobKey } from "../base/ports";
import type { Tag } from "./model";

/** What is copied and where to. */
export interface CopyModelInput {
  readonly home: string;
  readonly from: Tag;
  /** `name` for a generated version, or `name:version`. */
  readonly to: string;
  /** Another store; the same one when left out. */
  readonly toHome?: string | undefined;
}

/** Copies a version to a new tag with its files, labels, metadata and signatures; it was made now. */
export const copyModelJob: JobKey<CopyModelInput, { readonly tag: string; readonly path: string }> = {
  name: "store.copy",
};
