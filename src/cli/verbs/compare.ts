import { humanSize } from "../../base/humanSize";
import { stringifyExact } from "../../formats/jsonExact";
import { compare } from "../../frameworks/compare/compare";
import type { ComparedSide, Comparison, TensorCounts, TensorDifference } from "../../frameworks/compare/comparison";
import { factName, factText } from "../../frameworks/compare/words";
import { jobOptions } from "../progress";
import { openSubject } from "../subject";
import { table } from "../table";
import { resolveTarget } from "../target";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Says what differs between two versions or files; nothing is executed. A comparison that was made is no failure. */
export const compareVerb: Verb = {
  syntax: {
    usage: "compare TAG|FILE TAG|FILE [--ulps] [-o json]",
    example: "compare mnist:v1 mnist:v2",
    operands: [2, 2],
    options: { ulps: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const { home, output } = context;
    const [a = "", b = ""] = args.operands;
    const left = openSubject(home, resolveTarget(a, undefined, undefined));
    const right = openSubject(home, resolveTarget(b, undefined, undefined));
    const options = jobOptions(context, "Comparing");
    const comparison = await compare(left, right, { ulps: args.isSet("ulps") }, options);
    if (output.json) return output.document(stringifyExact(comparison, 2));
    output.lines(linesOf(comparison));
    for (const warning of comparison.warnings) output.warn(warning);
  },
};

function linesOf(comparison: Comparison): string[] {
  const { a, b, same, facts, tensors, counts } = comparison;
  const sides = table([sideRow("A", a), sideRow("B", b)], "  ");
  if (same) return [...sides, "", "They are the same."];
  return [
    ...sides,
    ...(facts.length > 0 ? ["", ...factLines(comparison)] : []),
    ...(a.tensors + b.tensors > 0 ? ["", countLine(counts)] : []),
    ...(tensors.length > 0 ? ["", ...table([HEAD, ...tensors.map(tensorRow)], "  ")] : []),
    ...tensors.flatMap(ulpLines),
  ];
}

function sideRow(letter: string, { name, format, bytes, tensors }: ComparedSide): string[] {
  return [letter, name, format, humanSize(bytes), `${tensors} ${tensors === 1 ? "tensor" : "tensors"}`];
}

function factLines({ facts }: Comparison): string[] {
  return facts.map((fact) => {
    const words = (value: unknown) => cut(factText(fact.part, value));
    if (fact.change === "added") return `  + ${factName(fact)}: ${words(fact.b)}`;
    if (fact.change === "removed") return `  - ${factName(fact)}: ${words(fact.a)}`;
    return `  ~ ${factName(fact)}: ${words(fact.a)} -> ${words(fact.b)}`;
  });
}

/** A line is for reading; JSON has the whole. */
function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function countLine({ equal, unreadable, ...changes }: TensorCounts): string {
  const said = Object.entries({ ...changes, unreadable }).filter(([, count]) => count > 0);
  return `${equal} equal${said.map(([change, count]) => `, ${count} ${WORDS[change] ?? change}`).join("")}`;
}

const WORDS: Readonly<Record<string, string>> = {
  kind: "of another kind",
  values: "with other values",
  unreadable: "with values that cannot be read",
};

const HEAD = ["max |B-A|", "max rel", "norm", "differ", "change", "name"];

function tensorRow({ changes, a, b, values, leaf, reason, near = [] }: TensorDifference): string[] {
  const name = a && b && a.name !== b.name ? `${nameOf(a)} -> ${nameOf(b)}` : nameOf(a ?? b);
  const figures = values
    ? [short(values.maxAbs), short(values.maxRel), short(values.norm), `${values.differing}/${values.count}`]
    : ["", "", "", ""];
  const form = [changed(a?.shape.join(), b?.shape.join(), "[", "]"), changed(typeOf(a), typeOf(b))];
  const notes = [
    ...(leaf ? [`${leaf.a} -> ${leaf.b}`] : []),
    ...(changes.includes("moved") && a?.name === b?.name ? ["keys of another type"] : []),
    ...(values && values.nan > 0 ? [`${values.nan} NaN on one side`] : []),
    ...(reason === undefined ? [] : [reason]),
    ...(near.length > 0 ? [`like ${near.join(", ")}`] : []),
  ];
  const shown = [...form.filter((text) => text !== ""), ...notes].join("; ");
  return [...figures, changes.join("+"), shown === "" ? name : `${name}  (${shown})`];
}

/** The one array of a file has no name of its own. */
function nameOf(head: TensorDifference["a"]): string {
  return head?.name === "" ? head.file : (head?.name ?? "");
}

function typeOf(head: TensorDifference["a"]): string | undefined {
  return head?.dtype ?? head?.nativeDtype;
}

function changed(a: string | undefined, b: string | undefined, open = "", close = ""): string {
  if (a === undefined || b === undefined) return `${open}${a ?? b ?? ""}${close}`;
  return a === b ? "" : `${open}${a}${close} -> ${open}${b}${close}`;
}

function short(value: number | null): string {
  return value === null ? "" : String(Number(value.toPrecision(4)));
}

function ulpLines({ a, values }: TensorDifference): string[] {
  if (!values?.ulps) return [];
  const { counts, nan } = values.ulps;
  const rows = counts.flatMap((count, k) => (count > 0 ? [[steps(k), String(count)]] : []));
  const none = nan > 0 ? [["NaN on one side", String(nan)]] : [];
  return [
    "",
    `${nameOf(a)}: values by how many steps of their type they are apart`,
    ...table([...rows, ...none], "  "),
  ];
}

function steps(k: number): string {
  if (k < 2) return String(k);
  return k <= 50 ? `${2 ** (k - 1)} to ${2 ** k - 1}` : `2^${k - 1} and more`;
}
