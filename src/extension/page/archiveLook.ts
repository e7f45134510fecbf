import type { ArchiveModelView, ArchiveNewsView } from "../../../webview/protocol/file";
import type { Warning } from "../../base/errors";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import { type ArchiveMember, type ArchiveModel, type ArchiveNews, lookIntoArchive } from "../../frameworks/archiveLook";
import type { StoredTensor } from "../../frameworks/content";
import type { SettableLimits } from "../../store/archive/limits";
import { isCancelled } from "../guard";
import { failureView } from "./failureView";
import { methodView } from "./methodView";

/** Rows of one answer: it stays far below what a message may hold. */
const ANSWER_ROWS = 500;
/** An answer without news comes after this time, so that the page hears how far the reading is. */
const PATIENCE_MS = 400;

/** What a look is made from. */
export interface ArchiveLookPort {
  readonly jobs: Jobs;
  /** The archive, absolute. @throws ModelbenchError when it cannot be had */
  path(): string;
  limits(): Partial<SettableLimits>;
}

/** What was told, in order; a page has heard a beginning of it. */
type Entry = { readonly index: number; readonly member: ArchiveMember } | { readonly model: ArchiveModel };

/** One look into an archive at a time, which every page of the document follows from where it is. */
export class ArchiveLook implements Disposable {
  readonly #port: ArchiveLookPort;
  #number = 0;
  #entries: Entry[] = [];
  #tensors = new Map<string, StoredTensor[]>();
  #paths: string[] = [];
  #state: ArchiveNewsView["state"] = "reading";
  #progress: { doneBytes: number; totalBytes: number | null } = { doneBytes: 0, totalBytes: null };
  #error: unknown;
  #warnings: readonly Warning[] = [];
  #isStale = false;
  #reading: AbortController | undefined;
  #waiting = new Set<() => void>();

  constructor(port: ArchiveLookPort) {
    this.#port = port;
  }

  /** What was found since a place of a look; of another look than the present one everything. The first one starts it. */
  async news(look: number, cursor: number, signal: AbortSignal): Promise<ArchiveNewsView> {
    if (this.#number === 0) this.again();
    const from = look === this.#number ? cursor : 0;
    if (this.#entries.length <= from && this.#state === "reading") await this.#change(signal);
    const begin = look === this.#number ? cursor : 0;
    const entries = this.#entries.slice(begin, begin + ANSWER_ROWS);
    const isAll = begin + entries.length >= this.#entries.length;
    const model = entries
      .map((entry) => ("model" in entry ? entry.model : undefined))
      .filter(Boolean)
      .at(-1);
    return {
      look: this.#number,
      cursor: begin + entries.length,
      rows: entries.flatMap((entry) =>
        "member" in entry ? [{ index: entry.index, member: memberView(entry.member) }] : [],
      ),
      // The end is told with the last of the rows.
      state: isAll ? this.#state : "reading",
      ...this.#progress,
      model: model ? modelViewOf(model) : null,
      error: isAll && this.#state === "failed" ? failureView(this.#error) : null,
      warnings: this.#warnings.map(({ message }) => message),
      isStale: this.#isStale,
    };
  }

  /** The tensors of a member by their headers, as far as they are named. */
  tensors(member: number): readonly StoredTensor[] {
    return this.#tensors.get(this.#paths[member] ?? "") ?? [];
  }

  /** Ends the look; what was found stays. */
  stop(): void {
    this.#reading?.abort();
  }

  /** Looks into the archive from its beginning. */
  again(): void {
    this.stop();
    const reading = new AbortController();
    this.#reading = reading;
    this.#number += 1;
    this.#entries = [];
    this.#tensors = new Map();
    this.#paths = [];
    this.#state = "reading";
    this.#progress = { doneBytes: 0, totalBytes: null };
    this.#error = undefined;
    this.#warnings = [];
    this.#isStale = false;
    void this.#read(reading);
  }

  /** The file changed: what was found is of an older one. */
  changed(): void {
    this.#isStale = this.#number > 0;
    this.#tell();
  }

  dispose(): void {
    this.stop();
    this.#tell();
  }

  async #read(reading: AbortController): Promise<void> {
    const isOurs = (): boolean => this.#reading === reading;
    try {
      const input = { path: this.#port.path(), limits: this.#port.limits() };
      const end = await lookIntoArchive(this.#port.jobs, input, (news) => isOurs() && this.#hear(news), {
        signal: reading.signal,
        onProgress: ({ doneBytes, totalBytes = null }) => {
          if (isOurs()) this.#progress = { doneBytes, totalBytes };
        },
      });
      if (isOurs()) this.#end("done", undefined, end.warnings);
    } catch (error) {
      if (isOurs()) this.#end(isCancelled(error) ? "stopped" : "failed", error, []);
    }
  }

  #hear({ members, tensors, model }: ArchiveNews): void {
    for (const { index, member } of members) {
      this.#paths[index] = member.path;
      this.#entries.push({ index, member });
    }
    for (const tensor of tensors) {
      const list = this.#tensors.get(tensor.file);
      if (list) list.push(tensor);
      else this.#tensors.set(tensor.file, [tensor]);
    }
    if (model) this.#entries.push({ model });
    this.#tell();
  }

  #end(state: "done" | "stopped" | "failed", error: unknown, warnings: readonly Warning[]): void {
    this.#state = state;
    this.#error = error;
    this.#warnings = warnings;
    this.#tell();
  }

  #tell(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, PATIENCE_MS);
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}

/** Longest texts that cross to the page. */
const MOST_CHARACTERS = 2_000;

const cut = (text: string): string => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);

function memberView({ imports, notes, ...member }: ArchiveMember): ArchiveNewsView["rows"][number]["member"] {
  return { ...member, path: cut(member.path), imports: imports.map(cut), notes: notes.map(cut) };
}

/** Most rows of a table of model.yaml. */
const MOST_ROWS = 200;

function modelViewOf({ labels, metadata, signatures, ...model }: ArchiveModel): ArchiveModelView {
  const rows = (pairs: ArchiveModel["labels"]): ArchiveModelView["labels"] =>
    pairs.slice(0, MOST_ROWS).map(([key, value]) => ({ key: cut(key), value: cut(value) }));
  return {
    ...model,
    createdMs: Number.isFinite(model.createdMs) ? model.createdMs : null,
    labels: rows(labels),
    metadata: rows(metadata),
    methods: Object.entries(signatures)
      .slice(0, MOST_ROWS)
      .map(([name, signature]) => methodView(name, signature)),
  };
}
