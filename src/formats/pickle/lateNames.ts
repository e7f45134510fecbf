import { classOf } from "./importClass";
import type { MachineListener } from "./machineListener";
import { items } from "./numpyTypes";
import { type CallNode, callOf, type ImportNode, importOf, isForeign, type Value } from "./values";

/** Functions that only reach into, or wrap, what they are given. Others that get hold of them can do anything. */
const LATE: ReadonlySet<string> = new Set([
  "builtins getattr",
  "builtins property",
  "builtins classmethod",
  "builtins staticmethod",
  "functools partial",
]);

/** Longest name of a class that attributes are taken of. */
const MAX_OWNER = 200;

/** Whether a name is judged by how it is used: called with what stands in the file, or handed on. */
function isLateName(module: string | null, name: string | null): boolean {
  return LATE.has(`${module} ${name}`);
}

/** An import that nobody was told of so far. */
function isLate(value: Value): value is ImportNode & Required<Pick<ImportNode, "late">> {
  return value !== null && typeof value === "object" && value.kind === "import" && value.late !== undefined;
}

/** The late names of one pickle: each is told of as it was found, unless it is called with what leaves no doubt. */
export class LateNames {
  readonly #listener: MachineListener;
  readonly #waiting = new Set<Value>();
  readonly #told = new Set<Value>();

  constructor(listener: MachineListener) {
    this.#listener = listener;
  }

  /** What is imported by a name; of any but a late one the listener hears at once. */
  import(module: string | null, name: string | null, opcode: string, offset: number): ImportNode {
    if (!isLateName(module, name)) {
      const node: ImportNode = { kind: "import", module, name };
      this.#listener.imported(node, opcode, offset);
      return node;
    }
    const node: ImportNode = { kind: "import", module, name, late: { opcode, offset } };
    this.#waiting.add(node);
    return node;
  }

  /** A value gets where anything may be made of it. */
  handOn(value: Value): Value {
    if (!isLate(value) || this.#told.has(value)) return value;
    this.#told.add(value);
    this.#waiting.delete(value);
    this.#listener.imported(value, value.late.opcode, value.late.offset);
    return value;
  }

  /** What REDUCE makes of a late name and arguments that leave no doubt. */
  call(callee: Value, args: Value, offset: number): Value | undefined {
    if (!isLate(callee)) return undefined;
    const made = attributeOf(callee, args) ?? (wraps(callee, args) ? callOf(callee, args) : undefined);
    if (made === undefined) return undefined;
    this.#waiting.delete(callee);
    this.#listener.wrapped(callee, "REDUCE", offset);
    return made;
  }

  /** The pickle ends, or breaks: nothing was made of what still waits. */
  end(): void {
    for (const value of this.#waiting) this.handOn(value);
  }
}

/**
 * `getattr(Outer, "Inner")`, by which protocols below 4 name what newer ones name `Outer.Inner`, and is judged as that:
 * Python walks the same way to both.
 */
function attributeOf(callee: ImportNode, args: Value): ImportNode | undefined {
  if (callee.name !== "getattr") return undefined;
  const [owner, name, ...more] = items(args) ?? [];
  if (more.length > 0 || typeof name !== "string" || !/^\w+$/.test(name)) return undefined;
  if (owner === undefined || owner === null || typeof owner !== "object" || owner.kind !== "import") return undefined;
  if (owner.module === null || owner.name === null || owner.name.length > MAX_OWNER) return undefined;
  const attribute = `${owner.name}.${name}`;
  const found = classOf(owner.module, attribute);
  const isPlain = found === "unknown" || found === "allowed";
  return isPlain ? { kind: "import", module: owner.module, name: attribute } : undefined;
}

/**
 * Whether a call only wraps a function, to be called later as anybody may call it: `partial(f, …)`, `property(f)`.
 * Not `type`, which makes classes of more arguments than it is given here.
 */
function wraps(callee: ImportNode, args: Value): boolean {
  if (callee.name === "getattr") return false;
  const given = items(args) ?? [];
  const wrapped = callee.name === "property" ? given : given.slice(0, 1);
  const isPlain = wrapped.every((value) => (isForeign(value) ? isPlainFunction(value) : callee.name === "property"));
  return wrapped.length > 0 && isPlain;
}

/** Whether BUILD gives a `partial` another function than the one that it was made of. */
export function replacesWrapped(target: Value, state: Value): target is CallNode {
  if (target === null || typeof target !== "object" || target.kind !== "call" || !isLate(importOf(target) ?? null)) {
    return false;
  }
  const [made] = items(target.args) ?? [];
  const [stated] = items(state) ?? [];
  return target.callee !== importOf(target) || made === undefined || made !== stated;
}

function isPlainFunction(value: Value): boolean {
  const source = importOf(value);
  return source !== undefined && !isLate(source) && source.name !== "type";
}
