import type { ScanLimits } from "./scanLimits";
import { StreamBreak } from "./streamBreak";
import type { Value } from "./values";

/** The stack with its marks, and the memo. No opcode reaches below the last mark, as in Python. */
export class Stack {
  readonly #values: Value[];
  readonly #marks: number[];
  readonly #memo: Map<number, Value>;
  /** What a copy shares with its original and never changes. */
  readonly #sharedMemo: ReadonlyMap<number, Value> | undefined;
  #memoSize: number;

  constructor(from?: Stack) {
    this.#values = from ? [...from.#values] : [];
    this.#marks = from ? [...from.#marks] : [];
    this.#memo = new Map();
    this.#sharedMemo = from ? from.#memo : undefined;
    this.#memoSize = from ? from.#memoSize : 0;
  }

  /** Values and marks that a copy takes. */
  get size(): number {
    return this.#values.length + this.#marks.length;
  }

  push(value: Value): void {
    this.#values.push(value);
  }

  /** @throws StreamBreak `stack` */
  pop(offset: number): Value {
    this.#need(1, offset);
    return this.#values.pop() as Value;
  }

  /** @throws StreamBreak `stack` */
  top(offset: number): Value {
    this.#need(1, offset);
    return this.#values.at(-1) as Value;
  }

  /** Takes the last `count` values. @throws StreamBreak `stack` */
  take(count: number, offset: number): Value[] {
    this.#need(count, offset);
    return this.#values.splice(this.#values.length - count);
  }

  mark(): void {
    this.#marks.push(this.#values.length);
  }

  /** Takes what is above the last mark, and the mark. @throws StreamBreak `stack` */
  takeToMark(offset: number): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new StreamBreak("stack", "An opcode needs a mark, and there is none.", offset);
    return this.#values.splice(mark);
  }

  /** POP takes a mark when one is on top. @throws StreamBreak `stack` */
  popValueOrMark(offset: number): void {
    if (this.#marks.at(-1) === this.#values.length) this.#marks.pop();
    else this.pop(offset);
  }

  put(index: number, value: Value): void {
    if (!this.#has(index)) this.#memoSize += 1;
    this.#memo.set(index, value);
  }

  /** MEMOIZE counts what is there. */
  memoize(value: Value): void {
    this.put(this.#memoSize, value);
  }

  /** @throws StreamBreak `memo` */
  get(index: number, offset: number): Value {
    const value = this.#memo.has(index) ? this.#memo.get(index) : this.#sharedMemo?.get(index);
    if (value === undefined) throw new StreamBreak("memo", `Nothing was stored in the memo as ${index}.`, offset);
    return value;
  }

  /** Pays for a copy. */
  payCopy(limits: ScanLimits, offset: number): void {
    limits.opcodes(this.size, offset);
  }

  #has(index: number): boolean {
    return this.#memo.has(index) || this.#sharedMemo?.has(index) === true;
  }

  #need(count: number, offset: number): void {
    if (this.#values.length - (this.#marks.at(-1) ?? 0) < count) {
      throw new StreamBreak("stack", "An opcode needs more values than the stack holds.", offset);
    }
  }
}
