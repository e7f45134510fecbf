import type { JobKey } from "../../base/ports";
import type { SettableLimits } from "./limits";

/** What to do when the archive's tag is taken. */
export type ConflictChoice = "fail" | "skip" | "replace" | "new-version";

/** One archive to be imported. */
export interface ImportRequest {
  /** Path of the archive; a relative one starts at the working directory of whoever runs the import. */
  readonly source: string;
  readonly onConflict: ConflictChoice;
  /** Reads and judges the whole archive, writes nothing. */
  readonly dryRun?: boolean;
  /** Limits other than the usual ones. */
  readonly limits?: Partial<SettableLimits>;
}

/** What an import did, or with `would-` in front: what it would do. */
export type ImportAction =
  | "imported"
  | "skipped"
  | "replaced"
  | "new-version"
  | "would-import"
  | "would-skip"
  | "would-replace"
  | "would-new-version";

/** The outcome of one import. */
export interface ImportResult {
  /** Tag in the store; in a dry run the archive's own. */
  readonly tag: string;
  readonly action: ImportAction;
  /** The archive, absolute. */
  readonly from: string;
  /** Sum of the model's files; 0 when skipped. */
  readonly bytes: number;
}

/** Formats that this version writes. */
export type ExportFormat = "bentomodel" | "tar" | "tar.gz";

/** One model to be exported. */
export interface ExportRequest {
  /** A tag as `get` takes it. */
  readonly tag: string;
  /** A file, an existing folder, or nothing for the working directory. */
  readonly destination?: string;
  /** Taken from the destination's extension when left out. */
  readonly format?: ExportFormat;
}

/** The outcome of one export. */
export interface ExportResult {
  readonly tag: string;
  /** The archive, absolute. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
}

/** Imports one archive into the store at `home`. */
export const importArchiveJob: JobKey<ImportRequest & { readonly home: string }, ImportResult> = {
  name: "archive.import",
};

/** Exports one model of the store at `home`; the destination should be absolute, since processes differ in theirs. */
export const exportModelJob: JobKey<ExportRequest & { readonly home: string }, ExportResult> = {
  name: "archive.export",
};
