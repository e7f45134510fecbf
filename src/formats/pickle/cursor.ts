import type { PositionalReader } from "../../base/ports";
import type { ScanLimits } from "./scanLimits";
import { StreamBreak } from "./streamBreak";

/** Bytes fetched at once: opcodes are small, and what lies between them is skipped. */
const WINDOW_BYTES = 4096;
/** Longest text line that is looked for its end. */
const MAX_LINE_BYTES = 1 << 20;

/** A part of a source, in absolute offsets. */
export interface ByteRange {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/** Where a reading stands. */
export interface Place {
  readonly at: number;
  /** Behind the last byte of the frame; at or before `at` when there is none. */
  readonly frameEnd: number;
  /** Where what follows the frame goes on. */
  readonly behindFrame: number;
}

/** Reads opcodes and their arguments one after another; every read is held to the end of the range. */
export class Cursor {
  readonly #reader: PositionalReader;
  readonly #limits: ScanLimits;
  readonly #end: number;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  readonly #dropsRest: boolean;
  /** Whether numbers in a form that C does not know are passed over. */
  readonly isLenient: boolean;
  #at: number;
  #frameEnd = 0;
  #behindFrame = 0;
  #crossed = false;

  /** @param dropsRest see `crossed` */
  constructor(reader: PositionalReader, range: ByteRange, limits: ScanLimits, dropsRest = false, isLenient = false) {
    this.#reader = reader;
    this.#limits = limits;
    this.#dropsRest = dropsRest;
    this.isLenient = isLenient;
    this.#at = range.start;
    this.#end = Math.min(range.end, reader.size);
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Behind the last byte. */
  get end(): number {
    return this.#end;
  }

  /**
   * Whether an argument went beyond its frame. Python that reads from memory takes no notice; reading from a file it
   * may drop what is left of the frame, and so sees another pickle: `dropsRest` reads that one.
   */
  get crossed(): boolean {
    return this.#crossed;
  }

  /** Begins a frame, or one inside the present one. @throws StreamBreak `truncated` */
  enterFrame(length: number): void {
    if (this.#at + length <= this.#frameEnd) return;
    this.#cross(length);
    this.#need(length);
    this.#frameEnd = this.#at + length;
    this.#behindFrame = this.#frameEnd;
  }

  /** Python has read the whole frame: who asks the file for bytes while it is followed gets those behind it. */
  get place(): Place {
    const isInside = this.#at < this.#frameEnd;
    return { at: this.#at, frameEnd: this.#frameEnd, behindFrame: isInside ? this.#behindFrame : this.#at };
  }

  /** Goes on at another place, in no frame. */
  moveTo(offset: number): void {
    this.#at = offset;
    this.#leaveFrame();
  }

  /** Goes on where a reading stood, and from `behindFrame` on where its frame ends, which it may have done already. */
  returnTo(place: Place, behindFrame = place.behindFrame): void {
    this.moveTo(place.at < place.frameEnd ? place.at : behindFrame);
    if (this.#at >= place.frameEnd) return;
    this.#frameEnd = place.frameEnd;
    this.#behindFrame = behindFrame;
  }

  /**
   * Goes past `count` bytes without reading them.
   * @param isBytes Python reads bytes to their end, whatever frame they begin in
   * @throws StreamBreak `truncated`
   */
  skip(count: number, isBytes = false): void {
    this.#cross(count, isBytes);
    this.#need(count);
    this.#advance(count);
  }

  u8(): number {
    return this.#take(1).readUInt8(0);
  }

  u16(): number {
    return this.#take(2).readUInt16LE(0);
  }

  u32(): number {
    return this.#take(4).readUInt32LE(0);
  }

  i32(): number {
    return this.#take(4).readInt32LE(0);
  }

  /** A length of eight bytes; one beyond the range is truncated anyway. */
  u64(): number {
    const value = this.#take(8).readBigUInt64LE(0);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  f64(): number {
    return this.#take(8).readDoubleBE(0);
  }

  /** A copy of the next `count` bytes. @throws StreamBreak `truncated` */
  bytes(count: number): Buffer {
    return Buffer.from(this.#take(count));
  }

  /** A copy of the bytes up to a line feed, which is passed. @throws StreamBreak `truncated` */
  line(): Buffer {
    if (this.#at < this.#frameEnd && !this.#lineEndsIn(this.#frameEnd)) this.#cross(this.#frameEnd - this.#at + 1);
    const line = this.#line();
    this.#advance(0);
    return line;
  }

  #line(): Buffer {
    const parts: Buffer[] = [];
    const start = this.#at;
    for (let count = 0; count <= MAX_LINE_BYTES; ) {
      if (this.#at >= this.#end) throw this.#short(start);
      this.#fill(1);
      const rest = this.#window.subarray(this.#at - this.#windowAt);
      const found = rest.indexOf(0x0a);
      const part = Buffer.from(found < 0 ? rest : rest.subarray(0, found));
      this.#limits.bytes(part.length + 1, this.#at);
      parts.push(part);
      count += part.length;
      this.#at += part.length + (found < 0 ? 0 : 1);
      if (found >= 0) return parts.length === 1 ? part : Buffer.concat(parts);
    }
    throw new StreamBreak("limit", `A line has more than ${MAX_LINE_BYTES >> 20} MiB.`, start);
  }

  /** A view of the next bytes, valid until the next call. */
  #take(count: number): Buffer {
    this.#cross(count);
    this.#need(count);
    this.#limits.bytes(count, this.#at);
    this.#fill(count);
    const from = this.#at - this.#windowAt;
    this.#advance(count);
    return this.#window.subarray(from, from + count);
  }

  /** What follows a frame need not lie behind it. */
  #advance(count: number): void {
    this.#at += count;
    if (this.#at !== this.#frameEnd) return;
    this.#at = this.#behindFrame;
    this.#leaveFrame();
  }

  #leaveFrame(): void {
    this.#frameEnd = 0;
    this.#behindFrame = 0;
  }

  #fill(count: number): void {
    const from = this.#at - this.#windowAt;
    if (from >= 0 && from + count <= this.#window.length) return;
    const length = Math.min(Math.max(count, WINDOW_BYTES), this.#end - this.#at);
    // A copy: others read from the same source in between, and a view lives until its next read only.
    this.#window = Buffer.from(this.#reader.read(this.#at, length));
    this.#windowAt = this.#at;
  }

  /** Whether a line that begins here ends before `end`. */
  #lineEndsIn(end: number): boolean {
    for (let at = this.#at; at < end; at += WINDOW_BYTES) {
      const count = Math.min(WINDOW_BYTES, end - at);
      this.#limits.bytes(count, at);
      if (this.#reader.read(at, count).includes(0x0a)) return true;
    }
    return false;
  }

  /** Leaves the frame when that many bytes go beyond it. */
  #cross(count: number, keepsRest = false): void {
    if (this.#at >= this.#frameEnd || this.#at + count <= this.#frameEnd) return;
    this.#crossed = true;
    if (this.#dropsRest && !keepsRest) this.#at = this.#frameEnd;
    this.#leaveFrame();
  }

  #need(count: number): void {
    if (count > this.#end - this.#at) throw this.#short();
  }

  #short(at = this.#at): StreamBreak {
    return new StreamBreak("truncated", `The pickle ends in the middle of an opcode's argument.`, at);
  }
}
