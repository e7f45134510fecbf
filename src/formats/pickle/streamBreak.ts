/** Why a pickle cannot be read on from some place: what is behind it is never executed by Python either. */
export type BreakKind = "truncated" | "opcode" | "stack" | "memo" | "argument" | "protocol" | "limit";

/** Ends the reading of one stream; never leaves this folder. */
export class StreamBreak extends Error {
  readonly kind: BreakKind;
  readonly offset: number;

  constructor(kind: BreakKind, message: string, offset: number) {
    super(message);
    this.name = "StreamBreak";
    this.kind = kind;
    this.offset = offset;
  }
}
