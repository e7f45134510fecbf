import type { Warning } from "../../base/errors";
import type { JobKey } from "../../base/ports";
import type { PickleVerdict } from "../../formats/pickle/facts";
import type { ModelVerdict } from "../pickleVerdicts";
import type { SettableLimits } from "./limits";

/** What to do when the archive's tag is taken. */
export type ConflictChoice = "fail" | "skip" | "replace" | "new-version";

/** What an archive is by its content; a `.bentomodel` is `tar.xz`. */
export type ArchiveKind = "tar" | "tar.gz" | "tar.xz" | "tar.bz2" | "zip" | "folder";

/** One archive to be imported. */
export interface ImportRequest {
  /** An archive, or a folder with a model's files; a relative path starts where whoever runs the import works. */
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
  /** What was let in, but not without a word. */
  readonly warnings?: readonly Warning[];
}

/** One archive to be looked into. */
export type PreviewRequest = Pick<ImportRequest, "source" | "limits">;

/** What an archive holds that passed the whole gate. */
export interface ArchivePreview {
  /** The archive or folder, absolute. */
  readonly source: string;
  readonly format: ArchiveKind;
  readonly tag: string;
  readonly module: string;
  readonly frameworkName: string;
  /** As it stands in model.yaml. */
  readonly creationTime: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Files and folders. */
  readonly members: number;
  /** Sum of all files. */
  readonly bytes: number;
  /** Size of the archive itself. */
  readonly packedBytes: number;
  /** Whether the store has a version of this tag. */
  readonly exists: boolean;
  /** The first 200 files, in the archive's order. */
  readonly files: readonly PreviewedFile[];
  /** How many there are beyond those. */
  readonly moreFiles: number;
  /** What was found in all its pickles together; left out when it has none. */
  readonly pickle?: ModelVerdict;
  readonly warnings: readonly Warning[];
}

/** A file of an archive; of a pickle what was found in it. */
export interface PreviewedFile {
  readonly path: string;
  readonly bytes: number;
  readonly verdict?: PickleVerdict;
}

/** Formats that this version writes. */
export type ExportFormat = "bentomodel" | "tar" | "tar.gz" | "tar.xz" | "tar.bz2" | "zip" | "folder";

/**
 * `stored` as it is: the speed of the disk. `small` as small as this version can: minutes a gigabyte. Left out,
 * `.bentomodel` and `.tar.xz` are stored, and `.tar.gz` and `.zip` compress what a sample says is worth it.
 */
export type Compression = "stored" | "small";

/** One model to be exported. */
export interface ExportRequest {
  /** A tag as `get` takes it. */
  readonly tag: string;
  /** A file, a folder, or nothing for the working directory. */
  readonly destination?: string;
  /** Taken from the destination's extension when left out. */
  readonly format?: ExportFormat;
  readonly compression?: Compression;
}

/** The outcome of one export. */
export interface ExportResult {
  readonly tag: string;
  /** The archive or folder, absolute. */
  readonly path: string;
  /** Its size; of a folder, the sum of its files. */
  readonly bytes: number;
}

/** Imports one archive into the store at `home`. */
export const importArchiveJob: JobKey<ImportRequest & { readonly home: string }, ImportResult> = {
  name: "archive.import",
};

/** Reads and judges one archive for the store at `home`, and writes nothing. */
export const previewArchiveJob: JobKey<PreviewRequest & { readonly home: string }, ArchivePreview> = {
  name: "archive.preview",
};

/** Exports one model of the store at `home`; the destination should be absolute, since processes differ in theirs. */
export const exportModelJob: JobKey<ExportRequest & { readonly home: string }, ExportResult> = {
  name: "archive.export",
};
