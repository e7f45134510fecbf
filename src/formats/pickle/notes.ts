import { visible } from "../../base/visible";
import {
  importLabel,
  type PickleFacts,
  type PickleFinding,
  type PickleImport,
  type PickleVerdict,
  worseVerdict,
} from "./facts";
import { classOf, isSubscript } from "./importClass";
import type { MachineListener } from "./machineListener";
import { type ImportNode, importOf, sourceOf, type Value } from "./values";

/** Most findings that are listed; of more it is said how many. */
const MAX_FINDINGS = 2_000;
/** Most imports that are listed. */
const MAX_IMPORTS = 10_000;
/** A longer name is no name, and only its beginning is told. */
const MAX_NAME = 1_000;

/** A finding, with how often it was made. */
interface Note {
  readonly verdict: PickleVerdict;
  readonly kind: string;
  readonly message: string;
  readonly offset: number;
  readonly member: string | undefined;
  count: number;
}

/** An import as it occurs, uses of the same name included. */
export interface ImportUse {
  readonly module: string | null;
  readonly name: string | null;
  readonly offset: number;
}

/** How persistent ids are judged. @returns whether the container itself holds what the id names */
export type ResolvesId = (id: Value) => boolean;

/**
 * What is found in pickles, the same things together: those of one stream, of a member, of a file.
 *
 * Kinds of findings: `import`, `call`, `change` (an imported object itself is altered), `ext`, `persid`, `buffer`,
 * `nested`, `arrays` (not all are listed), `refused` (Python raises an error there), the kinds of `StreamBreak`, `empty`, `trailing`, and those of containers.
 */
export class Notes implements MachineListener {
  /** In order, each use of a name. */
  readonly uses: ImportUse[] = [];
  /** Registry codes and persistent ids, in order. */
  readonly codes: number[] = [];
  persistentIds = 0;
  streams = 0;
  readonly #member: string | undefined;
  readonly #resolves: ResolvesId;
  readonly #imports = new Map<string, PickleImport>();
  readonly #findings = new Map<string, Note>();
  #verdict: PickleVerdict = "allowed";
  #moreFindings = 0;
  #moreImports = 0;

  constructor(member?: string, resolves: ResolvesId = () => false) {
    this.#member = member;
    this.#resolves = resolves;
  }

  /** Whether anything was imported, called or asked for. */
  get hasActions(): boolean {
    return this.uses.length > 0 || this.codes.length > 0;
  }

  /** Whether a reading ended because of a limit: what comes behind is not known. */
  get reachedLimit(): boolean {
    return this.hasKind("limit");
  }

  /** Whether there is a finding of that kind. */
  hasKind(kind: string): boolean {
    for (const note of this.#findings.values()) if (note.kind === kind) return true;
    return false;
  }

  /** Empty notes about the same thing. */
  fresh(): Notes {
    return new Notes(this.#member, this.#resolves);
  }

  imported({ module, name }: ImportNode, opcode: string, offset: number): void {
    const found = classOf(module, name);
    this.uses.push({ module, name, offset });
    this.#import({ module: cut(module), name: cut(name), class: found, offset, ...memberOf(this.#member) });
    if (found === "allowed") return;
    const label = nameOf(module, name);
    const words =
      module === null || name === null ? "The name of an import is computed while loading" : `${label} is imported`;
    this.finding(
      found,
      "import",
      `${words} (${opcode})${isSubscript(module, name) ? SUBSCRIPT_WORDS : IMPORT_WORDS[found]}`,
      offset,
    );
  }

  wrapped({ module, name }: ImportNode, opcode: string, offset: number): void {
    this.uses.push({ module, name, offset });
    this.#import({ module, name, class: "unknown", offset, ...memberOf(this.#member) });
    this.finding("unknown", "call", `${nameOf(module, name)} is called (${opcode}).`, offset);
  }

  called(callee: Value, args: Value, opcode: string, offset: number): void {
    const source = importOf(callee);
    const verdict = !source
      ? "unresolvable"
      : callee === source && makesClass(source, args)
        ? "dangerous"
        : classOf(source.module, source.name);
    this.finding(verdict, "call", `${visible(capital(sourceOf(callee)))} is called (${opcode}).`, offset);
  }

  changed({ module, name }: ImportNode, opcode: string, offset: number): void {
    this.finding("dangerous", "change", `${nameOf(module, name)} itself is changed (${opcode}).`, offset);
  }

  external(kind: "ext" | "persid" | "buffer", id: Value, offset: number): void {
    if (kind === "buffer") {
      this.finding("allowed", kind, "Memory is expected from the program that loads the pickle (NEXT_BUFFER).", offset);
    } else if (kind === "ext") {
      this.codes.push(typeof id === "number" ? id : 0);
      const words = `The registered extension ${String(id)} is used: what it is depends on the program that loads the pickle.`;
      this.finding("unresolvable", kind, words, offset);
    } else {
      this.persistentIds += 1;
      if (this.#resolves(id)) this.finding("allowed", kind, "Data of tensors is taken from the container.", offset);
      else this.finding("unresolvable", kind, "An object outside the pickle is asked for (persistent id).", offset);
    }
  }

  flaw(message: string, offset: number): void {
    this.finding("malformed", "refused", `Python would refuse: the pickle ${message}.`, offset);
  }

  unclear(offset: number): void {
    this.finding("unresolvable", "joblib", "Raw bytes may follow that only joblib skips.", offset);
  }

  nested(offset: number, length: number): void {
    this.finding(
      "allowed",
      "nested",
      `Bytes that begin like a pickle (${length} bytes); what is called with them may load them.`,
      offset,
    );
  }

  /** @param message one sentence; the same sentence again only counts */
  finding(verdict: PickleVerdict, kind: string, message: string, offset: number): void {
    this.#note({ verdict, kind, message, offset, member: this.#member, count: 1 });
  }

  /** Members of an archive that nothing is left for. */
  unread(count: number, offset: number): void {
    if (count === 0) return;
    const words = count === 1 ? "1 member was" : `${count} members were`;
    this.finding("opaque", "limit", `${words} not looked into: all that one file may cost is spent.`, offset);
  }

  /** Takes over what others found. */
  add(other: Notes): void {
    // One by one: spread into a call, a million are more arguments than there may be.
    for (const use of other.uses) this.uses.push(use);
    for (const code of other.codes) this.codes.push(code);
    this.persistentIds += other.persistentIds;
    this.streams += other.streams;
    for (const found of other.#imports.values()) this.#import(found);
    for (const note of other.#findings.values()) this.#note(note);
    this.#verdict = worseVerdict(this.#verdict, other.#verdict);
    this.#moreFindings += other.#moreFindings;
    this.#moreImports += other.#moreImports;
  }

  /** Everything so far. */
  facts(): PickleFacts {
    const findings = [...this.#findings.values()].map(findingOf);
    const last = (count: number, what: string): void => {
      if (count > 0)
        findings.push({
          verdict: this.#verdict,
          kind: "more",
          message: `${count} more ${what} are not listed.`,
          offset: 0,
        });
    };
    last(this.#moreFindings, "findings");
    last(this.#moreImports, "imports");
    return { verdict: this.#verdict, imports: [...this.#imports.values()], streams: this.streams, findings };
  }

  #import(found: PickleImport): void {
    this.#verdict = worseVerdict(this.#verdict, found.class);
    const key = `${found.module}\0${found.name}`;
    if (this.#imports.has(key)) return;
    if (this.#imports.size < MAX_IMPORTS) this.#imports.set(key, found);
    else this.#moreImports += 1;
  }

  #note(note: Note): void {
    this.#verdict = worseVerdict(this.#verdict, note.verdict);
    const key = `${note.kind}\0${note.member ?? ""}\0${note.message}`;
    const known = this.#findings.get(key);
    if (known) known.count += note.count;
    else if (this.#findings.size < MAX_FINDINGS) this.#findings.set(key, { ...note });
    else this.#moreFindings += note.count;
  }
}

/** `type` of three makes a class, whose methods and bases anything may call later; of one it only tells a type. */
function makesClass({ module, name }: ImportNode, args: Value): boolean {
  if (name !== "type" || (module !== "builtins" && module !== "__builtin__")) return false;
  const isTuple = args !== null && typeof args === "object" && args.kind === "tuple";
  return !(isTuple && args.items.length === 1);
}

const IMPORT_WORDS: Readonly<Record<"unknown" | "code" | "dangerous", string>> = {
  unknown: "; it is not in the list of known names.",
  code: ": byte code is part of the file.",
  dangerous: ": it can run, load or reach other code.",
};

const SUBSCRIPT_WORDS = ": what it takes out of something can be code.";

function findingOf({ verdict, kind, message, offset, member, count }: Note): PickleFinding {
  const words = count > 1 ? `${message.replace(/\.$/, "")}, ${count} times.` : message;
  return { verdict, kind, message: words, offset, ...memberOf(member) };
}

function memberOf(member: string | undefined): { readonly member?: string } {
  return member === undefined ? {} : { member };
}

function nameOf(module: string | null, name: string | null): string {
  return visible(importLabel({ module, name }));
}

function cut(name: string | null): string | null {
  return name === null ? null : name.slice(0, MAX_NAME);
}

function capital(text: string): string {
  return text.startsWith("the result") ? `The${text.slice(3)}` : text;
}
