import { signal } from "@preact/signals";
import { type PagePeer, RequestFailure } from "../protocol/pagePeer";
import type { EditInput, EditPart, ErrorView, ModelView, Row, SaveIssue } from "../protocol/views";
import { firstRows, isChanged, rebase, rowsOf } from "./editRows";

/** What the forms need of the page. */
export interface EditPort {
  /** The model as it was read last. */
  model(): ModelView | undefined;
  /** Something was typed, or a form was opened or closed: remember it. */
  changed(): void;
  /** The file was written: read it again. */
  reload(): Promise<void>;
}

/** The one form that is open, if any; it survives the page's being thrown away. */
export class EditState {
  readonly input = signal<EditInput | undefined>(undefined);
  /** What the host found wrong with the values. */
  readonly issues = signal<readonly SaveIssue[]>([]);
  readonly failure = signal<ErrorView | undefined>(undefined);
  /** Keys that the user changed and somebody else changed meanwhile. */
  readonly conflicts = signal<readonly string[]>([]);
  readonly isSaving = signal(false);
  /** The part that was written last, to be read out. */
  readonly saved = signal<EditPart | undefined>(undefined);
  readonly #peer: PagePeer;
  readonly #port: EditPort;
  /** Counts the forms that were opened. */
  #opened = 0;

  constructor(peer: PagePeer, port: EditPort) {
    this.#peer = peer;
    this.#port = port;
  }

  /** Opens the form of a part; one with typed values stays open instead. */
  open(part: EditPart): void {
    const model = this.#port.model();
    const now = this.input.value;
    if (!model || model.unread || (now && isChanged(now))) return;
    const rows = rowsOf(model, part);
    this.saved.value = undefined;
    this.#opened += 1;
    this.#set({ part, base: rows, entries: firstRows(part, rows) });
  }

  /** Goes on with what was typed before the page was thrown away. */
  restore(input: EditInput | undefined): void {
    this.#set(input);
    this.follow();
  }

  /** Takes what was typed. */
  type(entries: readonly Row[]): void {
    const input = this.input.value;
    if (!input) return;
    this.input.value = { ...input, entries: entries.map(({ key, value }) => ({ key, value })) };
    this.#port.changed();
  }

  /** Drops what was typed. */
  close(): void {
    this.#set(undefined);
  }

  /** The model was read again: rows that were left alone follow the file. */
  follow(): void {
    const input = this.input.value;
    const model = this.#port.model();
    if (!input || !model || model.unread || this.isSaving.value) return;
    const now = rowsOf(model, input.part);
    if (JSON.stringify(now) === JSON.stringify(input.base)) return;
    const { input: next, conflicts } = rebase(input, now);
    this.input.value = next;
    this.conflicts.value = [...new Set([...this.conflicts.value, ...conflicts])];
    this.#port.changed();
  }

  /** Writes what was changed; the form closes when that is done, unless more was typed meanwhile. */
  async save(tag: string): Promise<void> {
    const input = this.input.value;
    if (!input || this.isSaving.value) return;
    if (!isChanged(input)) return this.close();
    this.isSaving.value = true;
    this.failure.value = undefined;
    const opened = this.#opened;
    const isOpen = (): boolean => this.#opened === opened && this.input.value !== undefined;
    try {
      const { issues } = await this.#peer.request("model/edit", { tag, input });
      if (isOpen()) this.issues.value = issues;
      if (issues.length > 0) return;
      await this.#port.reload();
      if (isOpen()) this.#startFrom(input.entries);
      this.saved.value = input.part;
    } catch (error) {
      if (isOpen()) this.failure.value = failureOf(error);
    } finally {
      this.isSaving.value = false;
      this.follow();
    }
  }

  /** These rows are in the file now: what was typed since stays, as a change of them. */
  #startFrom(written: readonly Row[]): void {
    const input = this.input.value;
    if (!input) return;
    const base = written.filter(({ key, value }) => key !== "" || value !== "");
    const next = { ...input, base };
    this.#set(isChanged(next) ? next : undefined);
  }

  #set(input: EditInput | undefined): void {
    this.input.value = input;
    this.issues.value = [];
    this.failure.value = undefined;
    this.conflicts.value = [];
    this.#port.changed();
  }
}

/** A failed request as the page shows it. */
export function failureOf(error: unknown): ErrorView {
  if (error instanceof RequestFailure) return error.failure;
  return { code: "internal", message: String(error), remedy: null, path: null };
}
