import type { ModelRef, StoreId } from "./services";

/** What was dropped on the models tree. */
export interface TreeDrop {
  /** The store of the row it was dropped on; `undefined` = on none. */
  readonly store: StoreId | undefined;
  /** Absolute paths of files and folders. */
  readonly paths: readonly string[];
  /** Rows of the tree itself. */
  readonly models: readonly ModelRef[];
  /** How many things were dropped that are no files on this machine. */
  readonly elsewhere: number;
  /** Why what was dropped could not be had; then there is nothing else. */
  readonly failure: Error | undefined;
  /** Removes what was copied for the drop; to be called when its files have been read. */
  release(): Promise<void>;
}
