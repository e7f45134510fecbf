import type { Warning } from "../base/errors";
import type { JobKey, JobOptions, Jobs } from "../base/ports";
import type { PickleVerdict } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import type { SettableLimits } from "../store/archive/limits";
import type { StoredTensor } from "./content";

/** A file inside an archive. */
export interface ArchiveMember {
  readonly path: string;
  readonly bytes: number;
  /** `null` while it passes. */
  readonly format: FileFormat | null;
  readonly verdict: PickleVerdict | null;
  /** Names that its pickle imports, `module.name`, the first of them. */
  readonly imports: readonly string[];
  readonly tensorCount: number;
  /** Elements of all its tensors. */
  readonly parameters: number;
  /** Why it could not be looked into, or what is odd about it. */
  readonly notes: readonly string[];
}

/** What model.yaml says, as far as a look into an archive shows it. */
export interface ArchiveModel {
  readonly tag: string;
  readonly module: string;
  /** Short name of the framework; empty when it is unknown. */
  readonly framework: string;
  /** As it stands in model.yaml. */
  readonly created: string;
  readonly createdMs: number;
  readonly labels: readonly (readonly [string, string])[];
  readonly metadata: readonly (readonly [string, string])[];
  readonly signatures: Readonly<Record<string, MethodSignature>>;
}

/** What was found since the last time. */
export interface ArchiveNews {
  /** Members that are new, or of which more is known now; by their place in the archive. */
  readonly members: readonly { readonly index: number; readonly member: ArchiveMember }[];
  /** In the archive's order; `file` is the member. */
  readonly tensors: readonly StoredTensor[];
  readonly model: ArchiveModel | null;
}

/** What is known when the whole archive has passed. */
export interface ArchiveEnd {
  /** Sum of all files. */
  readonly bytes: number;
  readonly warnings: readonly Warning[];
}

/** Looks into an archive without unpacking it. Its parts are `ArchiveNews`: use `lookIntoArchive`. */
export const archiveLookJob: JobKey<{ readonly path: string; readonly limits?: Partial<SettableLimits> }, ArchiveEnd> =
  { name: "archive.look" };

/**
 * Runs `archiveLookJob`.
 * @param onNews hears what passes, while it passes
 * @throws ModelbenchError as `readArchive`
 */
export function lookIntoArchive(
  jobs: Jobs,
  input: { readonly path: string; readonly limits?: Partial<SettableLimits> },
  onNews: (news: ArchiveNews) => void,
  options: Omit<JobOptions, "onPart"> = {},
): Promise<ArchiveEnd> {
  return jobs.run(archiveLookJob, input, { ...options, onPart: (part) => onNews(part as ArchiveNews) });
}
