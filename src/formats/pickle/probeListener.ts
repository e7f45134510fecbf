import type { MachineListener } from "./machineListener";
import { type ImportNode, importOf, type Value } from "./values";

/**
 * Hears what a reader would do that takes the raw bytes of an array for opcodes. One byte of 256 asks for an object
 * outside the pickle, where such a reader stops, or has been given an object for an id that means nothing: that, and a
 * call of it, are told only when anything else comes of it.
 */
export class ProbeListener implements MachineListener {
  readonly #to: MachineListener;
  #asked: (() => void)[] = [];

  constructor(to: MachineListener) {
    this.#to = to;
  }

  /** Tells what was asked for so far. */
  tell(): void {
    for (const ask of this.#asked) ask();
    this.#asked = [];
  }

  imported(node: ImportNode, opcode: string, offset: number): void {
    this.tell();
    this.#to.imported(node, opcode, offset);
  }

  wrapped(callee: ImportNode, opcode: string, offset: number): void {
    this.tell();
    this.#to.wrapped(callee, opcode, offset);
  }

  called(callee: Value, args: Value, opcode: string, offset: number): void {
    if (importOf(callee)) {
      this.tell();
      this.#to.called(callee, args, opcode, offset);
    } else this.#asked.push(() => this.#to.called(callee, args, opcode, offset));
  }

  changed(target: ImportNode, opcode: string, offset: number): void {
    this.tell();
    this.#to.changed(target, opcode, offset);
  }

  external(kind: "ext" | "persid" | "buffer", id: Value, offset: number): void {
    this.#asked.push(() => this.#to.external(kind, id, offset));
  }

  flaw(message: string, offset: number): void {
    this.#to.flaw(message, offset);
  }

  unclear(offset: number): void {
    this.#to.unclear(offset);
  }

  nested(offset: number, length: number): void {
    this.#to.nested(offset, length);
  }
}
