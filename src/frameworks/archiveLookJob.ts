import type { Warning } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { elementCount } from "../formats/elements";
import { importLabel } from "../formats/pickle/facts";
import type { SettableLimits } from "../store/archive/limits";
import type { ModelInfo } from "../store/model";
import { formatTag } from "../store/tag";
import { signaturesIn } from "./archiveContent";
import type { ArchiveEnd, ArchiveMember, ArchiveModel, ArchiveNews } from "./archiveLook";
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
      createdMs: info.creationTime.epochMs,
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
