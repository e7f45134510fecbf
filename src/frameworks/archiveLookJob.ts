import type { Warning } from "../base/errors";
import type { JobKey, JobOptions, Jobs } from "../base/ports";
import { elementCount } from "../formats/elements";
import { importLabel, type PickleVerdict } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import type { SettableLimits } from "../store/archive/limits";
import type { ModelInfo } from "../store/model";
import { formatTag } from "../store/tag";
import { signaturesIn } from "./archiveContent";
import { type ArchiveListener, readArchive } from "./archiveReading";
import type { ContentFacts, FileContent, StoredTensor } from "./content";
import type { InspectedFile } from "./modelContent";
import { textPairs } from "./modelFacts";
import { adapterFor } from "./registry";

/** Tensors of one archive that are named; the members count all of theirs. */
const NAMED_TENSORS = 20_000;
/** How long what was found is gathered before it is told, in milliseconds. */
const GATHER_MS = 60;
/** How much is gathered at most: a message stays small. */
const GATHER_ROWS = 500;

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

/** The work behind `archiveLookJob`. @throws ModelbenchError as `readArchive` */
export async function runArchiveLook(
  { path, limits }: { readonly path: string; readonly limits?: Partial<SettableLimits> },
  options: JobOptions,
): Promise<ArchiveEnd> {
  const telling = new Telling(path, (news) => options.onPart?.(news));
  try {
    const { bytes, warnings } = await readArchive(path, telling, { ...options, limits });
    return { bytes, warnings };
  } finally {
    telling.flush();
  }
}

/** Gathers what passes and tells it now and then. */
class Telling implements ArchiveListener {
  readonly #path: string;
  readonly #tell: (news: ArchiveNews) => void;
  #members = new Map<number, ArchiveMember>();
  #tensors: StoredTensor[] = [];
  #model: ArchiveModel | null = null;
  #count = 0;
  #named = 0;
  #info: ModelInfo | undefined;
  #declaring: ContentFacts | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, tell: (news: ArchiveNews) => void) {
    this.#path = path;
    this.#tell = tell;
  }

  begun(path: string, bytes: number): void {
    const unknown = { format: null, verdict: null, imports: [], tensorCount: 0, parameters: 0, notes: [] };
    this.#members.set(this.#count, { path, bytes, ...unknown });
    this.#count += 1;
    this.#tellSoon();
  }

  model(info: ModelInfo): void {
    this.#info = info;
    this.#model = this.#modelNow(info);
  }

  passed(file: InspectedFile, content: FileContent | undefined, warnings: readonly Warning[]): void {
    this.#members.set(this.#count - 1, memberOf(file, content, warnings));
    if (!content) return;
    // One by one: a file may have more of them than a call takes arguments.
    for (const tensor of content.tensors.slice(0, NAMED_TENSORS - this.#named)) {
      this.#tensors.push(tensor);
      this.#named += 1;
      if (this.#tensors.length >= GATHER_ROWS) this.flush();
    }
    if (!content.signatures) return;
    this.#declaring ??= content;
    if (this.#info) this.#model = this.#modelNow(this.#info);
  }

  async settle(): Promise<void> {
    this.#tellSoon();
  }

  /** Tells what was gathered. */
  flush(): void {
    const members = [...this.#members].map(([index, member]) => ({ index, member }));
    if (members.length + this.#tensors.length === 0 && this.#model === null) return;
    this.#tell({ members, tensors: this.#tensors, model: this.#model });
    this.#members = new Map();
    this.#tensors = [];
    this.#model = null;
    this.#toldMs = performance.now();
  }

  #tellSoon(): void {
    const isDue = this.#members.size >= GATHER_ROWS || performance.now() - this.#toldMs >= GATHER_MS;
    if (isDue) this.flush();
  }

  #modelNow(info: ModelInfo): ArchiveModel {
    return {
      tag: formatTag(info.tag),
      module: info.module,
      framework: adapterFor(info.module)?.label ?? "",
      created: info.creationTime.text,
      labels: [...info.labels],
      metadata: textPairs(info.metadata),
      signatures: signaturesIn(this.#path, info, this.#declaring),
    };
  }
}

/** Imports of a pickle that a row names. */
const NAMED_IMPORTS = 5;

function memberOf(
  { path, bytes, format, pickle }: InspectedFile,
  content: FileContent | undefined,
  warnings: readonly Warning[],
): ArchiveMember {
  const tensors = content?.tensors ?? [];
  return {
    path,
    bytes,
    format,
    verdict: pickle?.verdict ?? null,
    imports: (pickle?.imports ?? []).slice(0, NAMED_IMPORTS).map(importLabel),
    tensorCount: tensors.length,
    parameters: tensors.reduce((sum, { kind, shape }) => sum + (kind === "ndarray" ? elementCount(shape) : 0), 0),
    notes: warnings.slice(0, NAMED_IMPORTS).map(({ message }) => message),
  };
}
