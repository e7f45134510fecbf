import type { ImportNode, Value } from "./values";

/** Hears what a pickle would do, in the order in which it would be done. */
export interface MachineListener {
  /** A name is imported, or would be if the loading program did not refuse. */
  imported(node: ImportNode, opcode: string, offset: number): void;
  /** A function is only wrapped by one of Python's own. */
  wrapped(callee: ImportNode, opcode: string, offset: number): void;
  /** Something is called. */
  called(callee: Value, args: Value, opcode: string, offset: number): void;
  /** An imported object itself is changed, not something made of it. */
  changed(target: ImportNode, opcode: string, offset: number): void;
  /** Something is asked of the loading program. @param id the registry's code, or the persistent id; `null` of a buffer */
  external(kind: "ext" | "persid" | "buffer", id: Value, offset: number): void;
  /** Python refuses here, but what follows is read on. */
  flaw(message: string, offset: number): void;
  /** Raw bytes may follow, which not every reader skips. */
  unclear(offset: number): void;
  /** Bytes that look like a pickle themselves. */
  nested(offset: number, length: number): void;
}
