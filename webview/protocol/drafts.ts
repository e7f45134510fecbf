import type { Draft, SpecView } from "./views";

/** Most cells the form shows; larger tensors come as JSON, as a file or generated. */
export const MAX_FORM_CELLS = 256;

/** How the cells of a form lie on the screen: rows times columns, row-major like the tensor. */
export interface FormLayout {
  readonly rows: number;
  readonly columns: number;
  /** Rows of the grid that one step along the first axis takes; 0 when the first axis is fixed. */
  readonly rowsPerStep: number;
}

/** Number of elements of a tensor with these dimensions. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Whether an axis takes any length. */
export function isDynamic(spec: SpecView, axis: number): boolean {
  return typeof spec.shape?.[axis] !== "number";
}

/** Where the cells go: the last axis runs to the right, everything before it down; a free vector runs down. */
export function formLayout(spec: SpecView, dims: readonly number[]): FormLayout {
  if (dims.length === 0) return { rows: 1, columns: 1, rowsPerStep: 0 };
  const vertical = dims.length === 1 && isDynamic(spec, 0);
  const columns = vertical ? 1 : (dims.at(-1) ?? 1);
  const rows = dims.length === 1 ? (vertical ? (dims[0] ?? 1) : 1) : elementCount(dims.slice(0, -1));
  const growing = isDynamic(spec, 0) && (dims.length > 1 || vertical);
  return { rows, columns, rowsPerStep: growing ? elementCount(dims.slice(1, -1)) : 0 };
}

/** The text a new cell of this dtype starts with. */
function blankCell(dtype: string | null): string {
  if (dtype === "bool") return "false";
  return dtype === "string" ? "" : "0";
}

/** The cells of a tensor after its dimensions changed: what has a place in both keeps its text. */
export function resizeCells(
  dtype: string | null,
  from: { readonly dims: readonly number[]; readonly cells: readonly string[] },
  dims: readonly number[],
): string[] {
  const count = elementCount(dims);
  if (count > MAX_FORM_CELLS) return [];
  return Array.from({ length: count }, (_, index) => {
    const old = sourceIndex(index, dims, from.dims);
    return (old === undefined ? undefined : from.cells[old]) ?? blankCell(dtype);
  });
}

/** Flat index in a tensor of `from` dimensions of the element at `index` in one of `to` dimensions. */
function sourceIndex(index: number, to: readonly number[], from: readonly number[]): number | undefined {
  if (to.length !== from.length) return undefined;
  let rest = index;
  let stride = 1;
  let found = 0;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const position = rest % (to[axis] ?? 1);
    rest = Math.floor(rest / (to[axis] ?? 1));
    if (position >= (from[axis] ?? 1)) return undefined;
    found += position * stride;
    stride *= from[axis] ?? 1;
  }
  return found;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL = /^[+-]?(nan|inf|infinity)$/i;
const INTEGER = /^[+-]?\d+$/;

/** What is wrong with a cell's text: an issue key for the page's texts, or `undefined` when it can be sent. */
export function cellIssue(
  dtype: string | null,
  text: string,
): "empty" | "number" | "integer" | "range" | "bool" | undefined {
  const trimmed = text.trim();
  if (dtype === "string") return undefined;
  if (trimmed === "") return "empty";
  if (dtype === "bool") return /^(true|false)$/i.test(trimmed) ? undefined : "bool";
  const bits = /^(u?)int(\d+)$/.exec(dtype ?? "");
  if (!bits) return NUMBER.test(trimmed) || SPECIAL.test(trimmed) ? undefined : "number";
  if (!INTEGER.test(trimmed)) return "integer";
  const width = BigInt(bits[2] ?? "64");
  const low = bits[1] === "u" ? 0n : -(1n << (width - 1n));
  const high = bits[1] === "u" ? (1n << width) - 1n : (1n << (width - 1n)) - 1n;
  const value = BigInt(trimmed.replace("+", ""));
  return value < low || value > high ? "range" : undefined;
}

/** The JSON text of one cell; what is no value of the dtype becomes a string, which the check then names. */
function cellJson(dtype: string | null, text: string): string {
  const trimmed = text.trim();
  if (dtype === "string" || cellIssue(dtype, trimmed) !== undefined) return JSON.stringify(text);
  if (dtype === "bool") return trimmed.toLowerCase();
  if (SPECIAL.test(trimmed)) {
    const sign = trimmed.startsWith("-") ? "-" : "";
    return /nan/i.test(trimmed) ? '"NaN"' : `"${sign}Infinity"`;
  }
  return strictNumber(trimmed);
}

/** JSON allows no `+1`, `.5`, `1.` or leading zeros, people type all four. */
function strictNumber(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = ""] =
    /^([+-]?)(\d*)\.?(\d*)((?:[eE][+-]?\d+)?)$/.exec(text) ?? [];
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  return `${sign === "-" ? "-" : ""}${digits}${fraction === "" ? "" : `.${fraction}`}${exponent}`;
}

/** The nested JSON text of row-major cells; numbers keep every digit that was typed. */
export function cellsToJson(dtype: string | null, dims: readonly number[], cells: readonly string[]): string {
  let next = 0;
  const build = (axis: number): string => {
    if (axis === dims.length) return cellJson(dtype, cells[next++] ?? blankCell(dtype));
    const items = Array.from({ length: dims[axis] ?? 0 }, () => build(axis + 1));
    const flat = axis >= dims.length - 1;
    return flat ? `[${items.join(", ")}]` : `[${items.join(`,\n${" ".repeat(axis + 1)}`)}]`;
  };
  return build(0);
}

/**
 * Reads nested JSON as row-major cell texts, numbers exactly as written. `undefined` for what is not
 * rectangular, holds objects or null, or has more cells than a form.
 */
export function jsonToCells(text: string): { dims: number[]; cells: string[] } | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  const dims: number[] = [];
  const cells: string[] = [];
  const leafAxes = new Set<number>();
  let at = 0;
  const read = (axis: number): boolean => {
    const token = tokens[at++];
    if (token === undefined) return false;
    if (token !== "[") {
      leafAxes.add(axis);
      return leafAxes.size === 1 && readLeaf(token, cells);
    }
    let count = 0;
    while (tokens[at] !== "]") {
      if (count > 0 && tokens[at++] !== ",") return false;
      if (!read(axis + 1)) return false;
      count += 1;
    }
    at += 1;
    if (axis < dims.length && dims[axis] !== undefined && dims[axis] !== -1) return dims[axis] === count;
    while (dims.length <= axis) dims.push(-1);
    dims[axis] = count;
    return true;
  };
  const whole = read(0) && at === tokens.length && !dims.includes(-1);
  const even = (leafAxes.size === 0 || leafAxes.has(dims.length)) && elementCount(dims) === cells.length;
  return whole && even ? { dims, cells } : undefined;
}

function readLeaf(token: string, cells: string[]): boolean {
  if (token === "]" || token === "," || token === "null" || cells.length >= MAX_FORM_CELLS) return false;
  cells.push(token.startsWith('"') ? String(JSON.parse(token)) : token);
  return true;
}

const TOKEN =
  /\s*(\[|\]|,|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*/y;

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
    const match = TOKEN.exec(text);
    if (!match?.[1] || tokens.length > 8 * MAX_FORM_CELLS) return undefined;
    tokens.push(match[1]);
  }
  return tokens.length === 0 ? undefined : tokens;
}

/** The dimensions an input starts with: fixed ones as declared, free ones 1. Unknown rank starts as a vector of one. */
function startingDims(spec: SpecView): number[] {
  return spec.shape === null ? [1] : spec.shape.map((dim) => (typeof dim === "number" ? dim : 1));
}

/** The draft of an input for which a JSON text is known, in the form when it fits one. */
export function draftFromJson(spec: SpecView, text: string): Draft {
  const read = jsonToCells(text);
  const fits = read && (spec.shape === null || read.dims.length === spec.shape.length);
  const dims = fits ? read.dims : startingDims(spec);
  return { ...emptyDraft(dims), source: fits ? "form" : "json", cells: fits ? read.cells : [], json: text };
}

/** The draft of an input about which nothing is known but its declaration. */
export function draftFromSpec(spec: SpecView): Draft {
  const dims = startingDims(spec);
  const cells = resizeCells(spec.dtype, { dims: [], cells: [] }, dims);
  return { ...emptyDraft(dims), source: cells.length > 0 ? "form" : "generate", cells };
}

function emptyDraft(dims: number[]): Draft {
  return { source: "form", dims, cells: [], json: "", file: null, pattern: "normal", seed: 42, as: "auto", dtype: "" };
}
