import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { type ByteRange, Cursor } from "./cursor";
import { PickleMachine } from "./machine";
import type { ImportUse, Notes } from "./notes";
import { ScanLimits } from "./scanLimits";
import { StreamBreak } from "./streamBreak";
import type { Value } from "./values";

/** Bytes behind a break at each of which a pickle is tried; further on only where one declares its protocol. */
const TRIED_BYTES = 1024;
/** Bytes searched at once for a declared protocol. */
const SEARCH_BYTES = 65_536;

/** One pickle of a file. */
export interface PickleStream {
  readonly offset: number;
  /** Behind STOP; `null` when the stream breaks. */
  readonly end: number | null;
  readonly protocol: number;
  /** In order, each use of a name. */
  readonly imports: readonly ImportUse[];
  readonly codes: readonly number[];
  readonly persistentIds: number;
  /** The object that the pickle would give. */
  readonly root: Value | undefined;
}

/** How a file is read. */
export interface StreamOptions {
  /** Whether raw array bytes follow a `NumpyArrayWrapper`. */
  readonly joblib: boolean;
  /** Whether to look for pickles behind what is none. */
  readonly search: boolean;
  /** Where to go on behind streams that raw data follows; `undefined` = directly behind. */
  readonly goOn?: (streams: readonly PickleStream[], at: number) => number | undefined;
}

/**
 * Reads the pickles of a range, one behind the other, and what else may be hidden behind or between them. All that
 * was found stays found when a stream breaks.
 */
export function readStreams(
  reader: PositionalReader,
  range: ByteRange,
  notes: Notes,
  limits: ScanLimits = new ScanLimits(),
  options: StreamOptions = { joblib: true, search: true },
): PickleStream[] {
  return new StreamReading(reader, range, notes, limits, options).all();
}

interface Attempt {
  readonly stream: PickleStream;
  readonly notes: Notes;
  readonly broken: StreamBreak | undefined;
  /** Where the frame ends that its last opcode is in, or the end of the pickle. */
  readonly behindFrame: number;
}

class StreamReading {
  readonly #reader: PositionalReader;
  readonly #range: ByteRange;
  readonly #notes: Notes;
  readonly #limits: ScanLimits;
  readonly #options: StreamOptions;
  readonly #streams: PickleStream[] = [];

  constructor(reader: PositionalReader, range: ByteRange, notes: Notes, limits: ScanLimits, options: StreamOptions) {
    this.#reader = reader;
    this.#range = range;
    this.#notes = notes;
    this.#limits = limits;
    this.#options = options;
  }

  all(): PickleStream[] {
    const { start, end } = this.#range;
    if (start >= end) this.#notes.finding("malformed", "empty", "There is nothing to read.", start);
    let at: number | undefined = start;
    while (at !== undefined && at < end) at = this.#next(at);
    return this.#streams;
  }

  /** Reads what begins at `at`; answers with the place where to go on. */
  #next(at: number): number | undefined {
    const attempt = this.#attempt(at);
    const { stream, broken } = attempt;
    if (!broken) {
      this.#keep(attempt);
      const end = stream.end ?? this.#range.end;
      if (attempt.behindFrame > end) this.#readBehind(attempt.behindFrame);
      return this.#options.goOn?.(this.#streams, end) ?? end;
    }
    const isTrailing = this.#streams.length > 0 && !attempt.notes.hasActions;
    if (isTrailing) this.#junk(at, broken);
    else this.#keep(attempt);
    if (!isTrailing)
      this.#notes.finding(broken.kind === "limit" ? "opaque" : "malformed", broken.kind, broken.message, broken.offset);
    if (broken.kind === "limit" || !this.#options.search) return undefined;
    return this.#search(Math.max(at, broken.offset) + 1);
  }

  /** Who reads a file has taken the whole frame when the pickle stops inside it, and finds the next one behind it. */
  #readBehind(start: number): void {
    const own = this.#notes.fresh();
    const range = { start, end: this.#range.end };
    new StreamReading(this.#reader, range, own, this.#limits, {
      joblib: this.#options.joblib,
      search: this.#options.search,
    }).all();
    if (!own.hasActions && !own.reachedLimit) return;
    const words = "A pickle stops inside its frame; where the next one begins depends on where Python reads it from.";
    this.#notes.finding("malformed", "frame", words, start);
    this.#notes.add(own);
  }

  #junk(at: number, broken: StreamBreak): void {
    if (broken.kind === "limit") this.#notes.finding("opaque", broken.kind, broken.message, broken.offset);
    const bytes = this.#range.end - at;
    this.#notes.finding("malformed", "trailing", `${bytes} bytes follow that are no pickle.`, at);
  }

  #keep({ stream, notes }: Attempt): void {
    this.#streams.push(stream);
    notes.streams += 1;
    this.#notes.add(notes);
  }

  /** Where frames are not kept to, readers of files and of memory see two pickles: both are followed. */
  #attempt(offset: number): Attempt {
    const { attempt, crossed } = this.#follow(offset, false);
    if (attempt.broken?.kind === "argument") return this.#further(attempt, attempt.broken);
    if (!crossed) return attempt;
    const words = "An opcode goes beyond its frame; what is loaded depends on where Python reads it from.";
    attempt.notes.finding("malformed", "frame", words, offset);
    const other = this.#follow(offset, true).attempt;
    attempt.notes.add(other.notes);
    if (other.broken?.kind === "limit") attempt.notes.finding("opaque", "limit", other.broken.message, offset);
    return attempt;
  }

  /** What stops the pickle of C may not stop the one of Python, which joblib uses. */
  #further(attempt: Attempt, broken: StreamBreak): Attempt {
    const other = this.#follow(attempt.stream.offset, false, true).attempt;
    return other.broken?.offset === broken.offset ? attempt : { ...other, broken };
  }

  #follow(
    offset: number,
    dropsRest: boolean,
    isLenient = false,
  ): { readonly attempt: Attempt; readonly crossed: boolean } {
    const cursor = new Cursor(
      this.#reader,
      { start: offset, end: this.#range.end },
      this.#limits,
      dropsRest,
      isLenient,
    );
    const notes = this.#notes.fresh();
    const machine = new PickleMachine(cursor, this.#limits, notes, this.#options);
    let root: Value | undefined;
    let broken: StreamBreak | undefined;
    try {
      root = machine.run();
    } catch (error) {
      broken = asBreak(error, cursor.at);
    }
    const { uses: imports, codes, persistentIds } = notes;
    const end = broken ? null : cursor.at;
    const stream = { offset, end, protocol: machine.protocol, imports, codes, persistentIds, root };
    const { behindFrame } = cursor.place;
    return { attempt: { stream, notes, broken, behindFrame }, crossed: cursor.crossed };
  }

  /** Looks for a pickle that somebody who skips the junk would load. */
  #search(from: number): number | undefined {
    try {
      for (let at = from; at < Math.min(from + TRIED_BYTES, this.#range.end); at++) {
        if (this.#isHidden(at, false)) return at;
      }
      return this.#declared(from + TRIED_BYTES);
    } catch (error) {
      const { kind, message, offset } = asBreak(error, from);
      this.#notes.finding("opaque", kind, message, offset);
      return undefined;
    }
  }

  #declared(from: number): number | undefined {
    const { end } = this.#range;
    for (let at = from; at + 2 < end; at += SEARCH_BYTES) {
      const count = Math.min(SEARCH_BYTES + 1, end - at);
      this.#limits.bytes(count, at);
      const piece = Buffer.from(this.#reader.read(at, count));
      for (let i = piece.indexOf(0x80); i >= 0 && i + 1 < count; i = piece.indexOf(0x80, i + 1)) {
        const protocol = piece[i + 1] ?? 0;
        if (protocol >= 2 && protocol <= 5 && this.#isHidden(at + i, true)) return at + i;
      }
    }
    return undefined;
  }

  /** Text is full of what looks like opcodes: without a declared protocol only a whole pickle counts. */
  #isHidden(at: number, isDeclared: boolean): boolean {
    const { notes, broken } = this.#attempt(at);
    if (broken?.kind === "limit") throw broken;
    return notes.hasActions && (!broken || isDeclared);
  }
}

/** A source that hands out no more of itself ends a reading as a limit does. */
function asBreak(error: unknown, offset: number): StreamBreak {
  if (error instanceof StreamBreak) return error;
  if (!(error instanceof ModelbenchError) || error.code !== "budget.exceeded") throw error;
  return new StreamBreak("limit", error.message, offset);
}
