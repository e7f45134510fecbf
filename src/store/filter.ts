import { ModelbenchError } from "../base/errors";
import { visible } from "../base/visible";
import type { ModelSummary } from "./model";
import { formatTag } from "./tag";

/** One condition of a filter. */
type Term =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "label"; readonly key: string; readonly value: string }
  | { readonly kind: "framework" | "module"; readonly text: string }
  | { readonly kind: "age" | "size"; readonly sign: "<" | ">"; readonly limit: number };

/** What a list knows of a version. */
type Listed = Pick<ModelSummary, "tag" | "module" | "creationMs" | "sizeBytes">;

/** What versions are looked for: all of the conditions hold. */
export interface Filter {
  readonly terms: readonly Term[];
}

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

/** Milliseconds of each unit of time. */
const AGES: Readonly<Record<string, number>> = {
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: DAY,
  w: 7 * DAY,
  y: 365 * DAY,
};

/** Bytes of each unit of size by its first letter; all of them binary, as in BentoML's lists. */
const SIZES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

const AGE = /^(\d+(?:\.\d+)?)([smhdwy])$/;
const SIZE = /^(\d+(?:\.\d+)?)(b$|[kmgt](?=(?:i?b)?$))/;

const SYNTAX =
  'Write label=value, framework:onnx, module:bentoml.onnx, age<7d, size>10MiB, or a part of a tag; "…" keeps spaces.';

/**
 * Reads a filter: conditions separated by spaces, which all must hold. `label=value`, `framework:onnx`,
 * `module:bentoml.onnx`, `age<7d` (s m h d w y), `size>10MiB` (binary units); anything else is a part of the tag or
 * of the module, in any case of letters. Double quotes keep spaces together: `owner="Team A"`.
 * @throws ModelbenchError `usage`, with what was expected
 */
export function parseFilter(text: string): Filter {
  return { terms: wordsOf(text).map(termOf) };
}

/** Reads a time span such as `30d` as milliseconds. @throws ModelbenchError `usage` */
export function parseAge(text: string): number {
  return amountOf(text, AGE, AGES, "a time span such as 36h, 7d or 2w");
}

/** Whether matching needs the labels of a version, which a list does not read. */
export function needsLabels({ terms }: Filter): boolean {
  return terms.some(({ kind }) => kind === "label");
}

/**
 * Whether a version fits.
 * @param labels of the version; without them no condition on a label holds
 * @param nowMs milliseconds since the epoch, for its age
 */
export function matches(
  filter: Filter,
  model: Listed,
  labels: ReadonlyMap<string, string> | undefined,
  nowMs: number = Date.now(),
): boolean {
  return filter.terms.every((term) => holds(term, model, labels, nowMs));
}

function holds(
  term: Term,
  { tag, module, creationMs, sizeBytes }: Listed,
  labels: ReadonlyMap<string, string> | undefined,
  nowMs: number,
): boolean {
  switch (term.kind) {
    case "label":
      return labels?.get(term.key) === term.value;
    case "framework":
      return frameworkOf(module).toLowerCase() === term.text;
    case "module":
      return module.toLowerCase() === term.text;
    case "age":
      return isBeyond(nowMs - creationMs, term);
    case "size":
      return isBeyond(sizeBytes, term);
    case "text":
      return `${formatTag(tag)}\n${module.toLowerCase()}`.includes(term.text);
  }
}

/** BentoML writes and accepts a framework's public name, `bentoml.onnx`, or the path of its implementation behind these. */
export const PRIVATE_PREFIXES: readonly string[] = ["bentoml._internal.frameworks.", "_bentoml_impl.frameworks."];

const PREFIXES = [...PRIVATE_PREFIXES, "bentoml."];

/** The framework in a module's name: `onnx` for `bentoml.onnx` and for the private path of the same. */
export function frameworkOf(module: string): string {
  const prefix = PREFIXES.find((known) => module.startsWith(known));
  return prefix === undefined ? module : module.slice(prefix.length);
}

function isBeyond(amount: number, { sign, limit }: { readonly sign: "<" | ">"; readonly limit: number }): boolean {
  return sign === "<" ? amount < limit : amount > limit;
}

/** Splits at spaces outside double quotes and takes the quotes away. */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:[^\s"]|"[^"]*")+|"/g) ?? [];
  if (words.some((word) => word === '"')) throw unreadable(text, "a quote that is not closed");
  return words.map((word) => word.replaceAll('"', ""));
}

function termOf(word: string): Term {
  const compared = /^(age|size)([<>])=?(.*)$/s.exec(word);
  if (compared?.[1] === "age") return { kind: "age", sign: signOf(compared[2]), limit: parseAge(compared[3] ?? "") };
  if (compared) {
    return {
      kind: "size",
      sign: signOf(compared[2]),
      limit: amountOf(compared[3] ?? "", SIZE, SIZES, "a size such as 10MiB"),
    };
  }
  const named = /^(framework|module):(.*)$/s.exec(word);
  if (named?.[1] === "framework" || named?.[1] === "module") {
    if (named[2] === "") throw unreadable(word, `nothing after ${named[1]}:`);
    return { kind: named[1], text: (named[2] ?? "").toLowerCase() };
  }
  const equals = word.indexOf("=");
  if (equals === 0) throw unreadable(word, "no label in front of =");
  if (equals > 0) return { kind: "label", key: word.slice(0, equals), value: word.slice(equals + 1) };
  return { kind: "text", text: word.toLowerCase() };
}

function signOf(sign: string | undefined): "<" | ">" {
  return sign === "<" ? "<" : ">";
}

function amountOf(text: string, units: RegExp, factors: Readonly<Record<string, number>>, expected: string): number {
  const [, number = "", unit = ""] = units.exec(text.toLowerCase()) ?? [];
  const factor = factors[unit];
  if (number !== "" && factor !== undefined) return Number(number) * factor;
  throw new ModelbenchError("usage", `Expected ${expected}; got ${JSON.stringify(visible(text, 60))}.`, {
    remedy: SYNTAX,
  });
}

function unreadable(text: string, what: string): ModelbenchError {
  return new ModelbenchError("usage", `The filter ${visible(text, 60)} cannot be read: ${what}.`, { remedy: SYNTAX });
}
