import { readArgument, readIndex, readName } from "./arguments";
import type { Cursor, Place } from "./cursor";
import { addItems, append, build, refuseCall, setItems } from "./effects";
import { mayBeName, noteClass } from "./importName";
import { isJoblibWrapper, type JoblibBuild, type JoblibOptions, joblibBuild, skipJoblibArray } from "./joblibArray";
import { LateNames, replacesWrapped } from "./lateNames";
import type { MachineListener } from "./machineListener";
import { nestedPickle } from "./nestedPickle";
import { OPCODES, type Opcode } from "./opcodes";
import { ProbeListener } from "./probeListener";
import { nameInPython3 } from "./pythonTwoNames";
import type { ScanLimits } from "./scanLimits";
import { Stack } from "./stack";
import { StreamBreak } from "./streamBreak";
import { callOf, hasBuffer, isForeign, isHashable, tuple, type Value } from "./values";

/**
 * Follows the opcodes of one pickle as `pickle.Unpickler` would, building nothing but notes of what would be built:
 * nothing is imported or called, nothing recurses on the input, shared objects stay shared.
 */
export class PickleMachine {
  readonly #cursor: Cursor;
  readonly #limits: ScanLimits;
  readonly #listener: MachineListener;
  readonly #options: JoblibOptions;
  readonly #stack: Stack;
  readonly #late: LateNames;
  /** A copy that only looks where another reader would go on: what it meets must not change the original's objects. */
  readonly #isProbe: boolean;
  #protocol = 0;

  constructor(
    cursor: Cursor,
    limits: ScanLimits,
    listener: MachineListener,
    options: JoblibOptions,
    probed?: { readonly stack: Stack; readonly protocol: number },
  ) {
    this.#cursor = cursor;
    this.#limits = limits;
    this.#listener = listener;
    this.#options = options;
    this.#stack = new Stack(probed?.stack);
    this.#late = new LateNames(listener);
    this.#isProbe = probed !== undefined;
    this.#protocol = probed?.protocol ?? 0;
  }

  /** The protocol declared last. */
  get protocol(): number {
    return this.#protocol;
  }

  /**
   * Reads up to STOP and answers with the object that the pickle would give.
   * @throws StreamBreak where Python would stop reading, or the limits are reached
   */
  run(): Value {
    try {
      return this.#late.handOn(this.#follow());
    } finally {
      this.#late.end();
    }
  }

  #follow(): Value {
    for (;;) {
      const offset = this.#cursor.at;
      this.#limits.opcodes(1, offset);
      if (offset >= this.#cursor.end) throw new StreamBreak("truncated", "The pickle has no end.", offset);
      const code = this.#cursor.u8();
      const opcode = OPCODES.get(code);
      if (opcode === undefined) {
        throw new StreamBreak("opcode", `0x${code.toString(16).padStart(2, "0")} is not an opcode.`, offset);
      }
      if (opcode === "STOP") return this.#stack.pop(offset);
      this.#step(opcode, offset);
    }
  }

  #step(opcode: Opcode, offset: number): void {
    const value = readArgument(opcode, this.#cursor, offset);
    if (value !== undefined) {
      this.#stack.push(value);
      this.#noteNested(value);
    } else if (!this.#structure(opcode, offset)) this.#action(opcode, offset);
  }

  /** Opcodes that only move values. */
  #structure(opcode: Opcode, offset: number): boolean {
    const stack = this.#stack;
    switch (opcode) {
      case "MARK":
        stack.mark();
        return true;
      case "POP":
        stack.popValueOrMark(offset);
        return true;
      case "POP_MARK":
        stack.takeToMark(offset);
        return true;
      case "DUP":
        stack.push(stack.top(offset));
        return true;
      case "TUPLE1":
      case "TUPLE2":
      case "TUPLE3":
        stack.push(tuple(this.#held(stack.take(Number(opcode.at(-1)), offset), offset)));
        return true;
      case "TUPLE":
        stack.push(tuple(this.#toMark(offset)));
        return true;
      case "LIST":
        stack.push({ kind: "list", items: this.#toMark(offset) });
        return true;
      case "DICT":
        this.#dict(offset);
        return true;
      case "FROZENSET":
        this.#refusal(
          this.#toMark(offset).every(isHashable) ? undefined : "puts an unhashable value into a set",
          offset,
        );
        stack.push({ kind: "frozenset" });
        return true;
      default:
        return this.#memo(opcode, offset);
    }
  }

  #memo(opcode: Opcode, offset: number): boolean {
    const stack = this.#stack;
    const cursor = this.#cursor;
    switch (opcode) {
      case "MEMOIZE":
        stack.memoize(stack.top(offset));
        return true;
      case "PUT":
      case "BINPUT":
      case "LONG_BINPUT":
        stack.put(readIndex(opcode, cursor, offset), stack.top(offset));
        return true;
      case "GET":
      case "BINGET":
      case "LONG_BINGET":
        stack.push(stack.get(readIndex(opcode, cursor, offset), offset));
        return true;
      case "PROTO":
        this.#protocol = cursor.u8();
        if (this.#protocol > 5) {
          throw new StreamBreak("protocol", `Protocol ${this.#protocol} is not known; 0 to 5 are.`, offset);
        }
        return true;
      case "FRAME":
        cursor.enterFrame(cursor.u64());
        return true;
      default:
        return false;
    }
  }

  /** Opcodes by which a pickle imports, calls and changes. */
  #action(opcode: Opcode, offset: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case "GLOBAL":
        this.#import(readName(this.#cursor, offset, true), readName(this.#cursor, offset, true), opcode, offset);
        return;
      case "STACK_GLOBAL":
        this.#stackGlobal(offset);
        return;
      case "INST":
        this.#inst(offset);
        return;
      case "OBJ": {
        const items = stack.takeToMark(offset);
        const [callee] = items;
        if (callee === undefined) throw new StreamBreak("stack", "OBJ has nothing to make an object of.", offset);
        this.#call(callee, tuple(this.#held(items.slice(1), offset)), opcode, offset);
        return;
      }
      case "REDUCE":
      case "NEWOBJ": {
        const [callee = null, args = null] = stack.take(2, offset);
        this.#call(callee, args, opcode, offset);
        return;
      }
      case "NEWOBJ_EX": {
        const [callee = null, args = null, named = null] = stack.take(3, offset);
        const isDict = named !== null && typeof named === "object" && (named.kind === "dict" || isForeign(named));
        this.#refusal(isDict ? undefined : "calls with named arguments that are not a dict", offset);
        this.#call(callee, args, opcode, offset);
        return;
      }
      case "BUILD":
        this.#build(offset);
        return;
      default:
        this.#change(opcode, offset);
        return;
    }
  }

  #change(opcode: Opcode, offset: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case "APPEND":
      case "APPENDS": {
        const items = opcode === "APPEND" ? this.#held(stack.take(1, offset), offset) : this.#toMark(offset);
        this.#effect(append, items, opcode, offset);
        return;
      }
      case "ADDITEMS":
        this.#effect(addItems, this.#toMark(offset), opcode, offset);
        return;
      case "SETITEM":
      case "SETITEMS": {
        const entries = opcode === "SETITEM" ? this.#held(stack.take(2, offset), offset) : this.#toMark(offset);
        if (entries.length % 2 === 1) throw new StreamBreak("stack", "A key has no value.", offset);
        this.#effect(setItems, entries, opcode, offset);
        return;
      }
      default:
        this.#external(opcode, offset);
        return;
    }
  }

  #external(opcode: Opcode, offset: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case "EXT1":
      case "EXT2":
      case "EXT4": {
        const { [opcode]: read } = { EXT1: "u8", EXT2: "u16", EXT4: "i32" } as const;
        const code = this.#cursor[read]();
        if (code <= 0) throw new StreamBreak("argument", `${code} is no code of an extension.`, offset);
        this.#supplied("extension", code, offset);
        return;
      }
      case "PERSID": {
        const id = this.#cursor.line();
        if (id.some((byte) => byte > 0x7f)) throw new StreamBreak("argument", "A persistent id is not ASCII.", offset);
        this.#supplied("persistent", id.toString("latin1"), offset);
        return;
      }
      case "BINPERSID":
        this.#supplied("persistent", this.#late.handOn(stack.pop(offset)), offset);
        return;
      case "NEXT_BUFFER":
        this.#listener.external("buffer", null, offset);
        stack.push({ kind: "buffer" });
        return;
      case "READONLY_BUFFER":
        this.#refusal(hasBuffer(stack.top(offset)) ? undefined : "wants the memory of a plain value", offset);
        return;
      default:
        throw new StreamBreak("opcode", `${opcode} is not known.`, offset);
    }
  }

  #supplied(kind: "persistent" | "extension", id: Value, offset: number): void {
    this.#listener.external(kind === "persistent" ? "persid" : "ext", id, offset);
    this.#stack.push({ kind, id });
  }

  #dict(offset: number): void {
    const entries = this.#toMark(offset);
    if (entries.length % 2 === 1) throw new StreamBreak("stack", "A key has no value.", offset);
    const isSound = entries.every((entry, i) => i % 2 === 1 || isHashable(entry));
    this.#refusal(isSound ? undefined : "uses an unhashable key", offset);
    this.#stack.push({ kind: "dict", entries });
  }

  #import(module: string | null, name: string | null, opcode: Opcode, offset: number): void {
    const mapped =
      this.#protocol < 3 && module !== null && name !== null ? nameInPython3(module, name) : [module, name];
    const [inModule = null, called = null] = mapped;
    this.#stack.push(this.#late.import(inModule, called, opcode, offset));
  }

  #stackGlobal(offset: number): void {
    const name = this.#stack.pop(offset);
    const module = this.#stack.pop(offset);
    if (![module, name].every(mayBeName)) {
      throw new StreamBreak("argument", "What should be imported is not named by text.", offset);
    }
    const text = (part: Value): string | null => (typeof part === "string" ? part : null);
    this.#import(text(module), text(name), "STACK_GLOBAL", offset);
  }

  #inst(offset: number): void {
    const args = this.#toMark(offset);
    this.#import(readName(this.#cursor, offset, false), readName(this.#cursor, offset, false), "INST", offset);
    this.#call(this.#stack.pop(offset), tuple(args), "INST", offset);
  }

  #call(callee: Value, args: Value, opcode: Opcode, offset: number): void {
    const made = opcode === "REDUCE" ? this.#late.call(callee, args, offset) : undefined;
    if (made) {
      this.#stack.push(made);
      return;
    }
    for (const value of [callee, args]) this.#late.handOn(value);
    this.#refusal(isForeign(args) ? undefined : refuseCall(callee, args), offset);
    if (isForeign(callee)) this.#listener.called(callee, args, opcode, offset);
    const isNew = opcode === "NEWOBJ";
    if (isNew && !this.#isProbe) noteClass(callee);
    this.#stack.push(callOf(callee, args, isNew));
  }

  #build(offset: number): void {
    const [state = null] = this.#held(this.#stack.take(1, offset), offset);
    const target = this.#stack.top(offset);
    this.#noteChange(target, "BUILD", offset);
    if (replacesWrapped(target, state)) this.#listener.called(target.callee, state, "BUILD", offset);
    const raw = this.#options.joblib ? joblibBuild(target, state) : undefined;
    if (!this.#isProbe) this.#refusal(build(target, state), offset);
    if (raw) this.#joblib(raw, offset);
  }

  /** The wrapper is replaced by its array, whose bytes lie behind the frame; the rest of the frame is read after them. */
  #joblib({ array, isSure }: JoblibBuild, offset: number): void {
    const place = this.#cursor.place;
    if (!isSure || place.at < place.frameEnd) this.#listener.unclear(offset);
    if (!array) return;
    this.#probe(place, this.#stack.pop(offset));
    this.#cursor.moveTo(place.behindFrame);
    this.#stack.push(array.type.hasObjects ? this.#objects(offset) : skipJoblibArray(array, this.#cursor, offset));
    this.#cursor.returnTo(place, this.#cursor.place.behindFrame);
  }

  /** Objects of an array are a pickle of their own. */
  #objects(offset: number): Value {
    try {
      return new PickleMachine(this.#cursor, this.#limits, this.#listener, { joblib: false }).run();
    } catch (error) {
      if (error instanceof StreamBreak) this.#listener.unclear(offset);
      throw error;
    }
  }

  /**
   * `pickle.load` does not know about raw bytes and takes them for opcodes. What joblib writes breaks it at once; a
   * file made to fool one of the two readers does not, so both ways are followed.
   */
  #probe(place: Place, wrapper: Value): void {
    if (place.at >= this.#cursor.end) return;
    if (!OPCODES.has(this.#cursor.u8())) return;
    this.#cursor.returnTo(place);
    this.#stack.payCopy(this.#limits, place.at);
    const probed = { stack: this.#stack, protocol: this.#protocol };
    const heard = new ProbeListener(this.#listener);
    const probe = new PickleMachine(this.#cursor, this.#limits, heard, { joblib: false }, probed);
    probe.#stack.push(wrapper);
    try {
      probe.run();
      heard.tell();
    } catch (error) {
      if (!(error instanceof StreamBreak) || error.kind === "limit") throw error;
    }
  }

  #toMark(offset: number): Value[] {
    return this.#held(this.#stack.takeToMark(offset), offset);
  }

  /** Of joblib's wrapper in other hands something may be made for which joblib reads bytes. */
  #held(values: Value[], offset: number): Value[] {
    if (this.#options.joblib && values.some(isJoblibWrapper)) this.#listener.unclear(offset);
    for (const value of values) this.#late.handOn(value);
    return values;
  }

  #effect(
    effect: (target: Value, values: readonly Value[]) => string | undefined,
    values: readonly Value[],
    opcode: Opcode,
    offset: number,
  ): void {
    const target = this.#stack.top(offset);
    this.#noteChange(target, opcode, offset);
    if (values.length > 0 && !this.#isProbe) this.#refusal(effect(target, values), offset);
  }

  #noteChange(target: Value, opcode: Opcode, offset: number): void {
    if (target === null || typeof target !== "object") return;
    if (target.kind === "import") this.#listener.changed(target, opcode, offset);
  }

  #noteNested(value: Value): void {
    const bytes = nestedPickle(value, this.#cursor);
    if (bytes) this.#listener.nested(bytes.offset, bytes.length);
  }

  #refusal(why: string | undefined, offset: number): void {
    if (why !== undefined && !this.#isProbe) this.#listener.flaw(why, offset);
  }
}
