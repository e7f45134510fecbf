import { cellIssue, cellsToJson, elementCount, jsonToCells, resizeCells } from "../protocol/drafts";
import type { Draft, Drafts, SpecView } from "../protocol/views";

/** One argument of a method that declares none, as its card shows it. */
export interface Argument {
  /** Stays the same while its name is typed. */
  readonly id: number;
  /** Its draft's key: the last name that could be sent. */
  readonly key: string;
  /** Position or name as typed. */
  readonly name: string;
  /** Shape of generated values as typed. */
  readonly shape: string;
}

/** What the page edits of such a method. */
export interface Arguments {
  readonly args: readonly Argument[];
  readonly drafts: Drafts;
}

/** What is wrong with an argument's name. */
export type NameIssue = "empty" | "name" | "duplicate" | "gap";

const POSITION = /^(0|[1-9]\d{0,8})$/;
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;
/** Most dimensions and the largest one that a draft takes. */
const MAX_DIMS = 32;
const MAX_DIM = 2 ** 31;

/** Whether an argument goes by its place in the call. */
export function isPosition(name: string): boolean {
  return POSITION.test(name);
}

/** The arguments of drafts; those that were there before keep their ids and what is being typed. */
export function argumentsOf(drafts: Drafts, before: readonly Argument[] = []): Argument[] {
  let next = nextId(before);
  return Object.entries(drafts).map(
    ([key, { dims }]) =>
      before.find((known) => known.key === key) ?? { id: next++, key, name: key, shape: dims.join(", ") },
  );
}

/** The values an argument starts with: the plainest that most methods take. */
function newDraft(): Draft {
  const plain = { file: null, pattern: "normal", seed: 42, as: "auto", dtype: "" } as const;
  return { ...plain, source: "json", dims: [1, 1], cells: ["0"], json: "[[0]]" };
}

/** With one argument more: the first position that is free, behind the others. */
export function withArgument({ args, drafts }: Arguments): Arguments & { readonly id: number } {
  const taken = new Set(args.flatMap(({ key, name }) => [key, name.trim()]));
  let position = 0;
  while (taken.has(String(position))) position += 1;
  const key = String(position);
  const id = nextId(args);
  const behind = args.map(({ name }) => isPosition(name)).lastIndexOf(true) + 1;
  const added = { id, key, name: key, shape: "1, 1" };
  const next = [...args.slice(0, behind), added, ...args.slice(behind)];
  return { args: next, drafts: { ...drafts, [key]: newDraft() }, id };
}

/** Without an argument; the positions behind it move up. */
export function withoutArgument({ args, drafts }: Arguments, id: number): Arguments {
  const gone = args.find((one) => one.id === id);
  if (!gone) return { args, drafts };
  const left = args.filter((one) => one !== gone);
  const moved = isPosition(gone.key)
    ? left.map((one) => (isBehind(one, gone) ? { ...one, name: String(Number(one.name) - 1) } : one))
    : left;
  return renamed({ args: moved, drafts });
}

function isBehind({ name }: Argument, gone: Argument): boolean {
  return isPosition(name) && Number(name) > Number(gone.key);
}

/** With another name in an argument's field; drafts get their new names as soon as all of them can be sent. */
export function withName({ args, drafts }: Arguments, id: number, name: string): Arguments {
  return renamed({ args: args.map((one) => (one.id === id ? { ...one, name } : one)), drafts });
}

/** Takes the names over as keys, all at once: on the way to exchanged names two of them are the same for a moment. */
function renamed({ args, drafts }: Arguments): Arguments {
  const isSendable = args.every((one) => [undefined, "gap"].includes(nameIssue(args, one)));
  const next = isSendable ? args.map((one) => ({ ...one, key: one.name.trim() })) : args;
  const pairs = args.map(({ key }, at) => [next[at]?.key ?? key, drafts[key]] as const);
  return { args: next, drafts: Object.fromEntries(pairs.filter((pair): pair is [string, Draft] => !!pair[1])) };
}

/** What is wrong with the name of an argument among the others. */
export function nameIssue(args: readonly Argument[], one: Argument): NameIssue | undefined {
  const name = one.name.trim();
  if (name === "") return "empty";
  if (!isPosition(name) && (!IDENTIFIER.test(name) || name === "__proto__")) return "name";
  const others = args.filter((other) => other !== one && other.name.trim() === name);
  // Of two, the one that had the name before is right, else the later one is wrong.
  if (others.some((other) => name !== one.key && (name === other.key || other.id < one.id))) return "duplicate";
  const isFree = (position: number): boolean => !args.some((other) => other.name.trim() === String(position));
  return isPosition(name) && Number(name) > 0 && isFree(Number(name) - 1) ? "gap" : undefined;
}

/** The dimensions that a text names: `2, 4`, `[2, 4]`, `(3,)`; none for an empty one. `undefined` = no shape. */
export function readShape(text: string): number[] | undefined {
  const inner =
    /^\s*(?:\[(.*)\]|\((.*)\)|(.*))\s*$/s
      .exec(text)
      ?.slice(1)
      .find((part) => part !== undefined) ?? "";
  const parts = inner
    .trim()
    .replace(/,$/, "")
    .split(/\s*[,×]\s*/);
  if (parts.length === 1 && parts[0] === "") return [];
  const dims = parts.map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  return dims.length <= MAX_DIMS && dims.every((dim) => dim <= MAX_DIM) ? dims : undefined;
}

/** What an argument's draft would be a declaration of, so that forms and findings treat both alike. */
export function specOf(key: string, draft: Draft): SpecView {
  return { name: key, type: "tensor", dtype: draft.dtype === "" ? null : draft.dtype, shape: null };
}

/** The cells of a form for what is entered; `undefined` where a form could not hold it. */
export function formOf(draft: Draft): Pick<Draft, "dims" | "cells"> | undefined {
  const isFilled = draft.cells.length > 0 && draft.cells.length === elementCount(draft.dims);
  if (draft.source === "form" || (draft.source !== "json" && isFilled)) return draft;
  const read = jsonToCells(draft.json);
  if (!read || read.cells.length === 0 || read.cells.some((cell) => cellIssue(null, cell) !== undefined))
    return undefined;
  // A text such as "5" would come back from the form as a number.
  const same = cellsToJson(null, read.dims, read.cells).replace(/\s/g, "") === draft.json.replace(/\s/g, "");
  return same ? read : undefined;
}

/** An argument's draft after its source was switched: form and JSON carry their values over. */
export function withArgumentSource(draft: Draft, source: Draft["source"]): Draft {
  const dtype = draft.dtype === "" ? null : draft.dtype;
  if (source === "json" && draft.source === "form") {
    return { ...draft, source, json: cellsToJson(dtype, draft.dims, draft.cells) };
  }
  const form = formOf(draft);
  if (source === "form") return form ? { ...draft, ...form, source } : draft;
  // Cells that were read of JSON which is no form any more would come back later.
  const kept = form ?? (draft.source === "json" ? { cells: [] } : {});
  return { ...draft, ...kept, source };
}

/** An argument's draft with other dimensions; cells move along. */
export function withShape(draft: Draft, dims: readonly number[]): Draft {
  return { ...draft, dims: [...dims], cells: resizeCells(draft.dtype === "" ? null : draft.dtype, draft, dims) };
}

function nextId(args: readonly Argument[]): number {
  return args.reduce((most, { id }) => Math.max(most, id + 1), 0);
}
