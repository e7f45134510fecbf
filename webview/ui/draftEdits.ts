import { cellsToJson, formLayout, isDynamic, jsonToCells, MAX_FORM_CELLS, resizeCells } from "../protocol/drafts";
import type { Draft, Drafts, SpecView } from "../protocol/views";

/** Drafts after an axis of one input got a size: every axis of the same symbol follows, cells move along. */
export function withDim(specs: readonly SpecView[], drafts: Drafts, input: string, axis: number, size: number): Drafts {
  const symbol = specs.find(({ name }) => name === input)?.shape?.[axis];
  const next = { ...drafts };
  for (const spec of specs) {
    const draft = drafts[spec.name];
    if (!draft) continue;
    const dims = draft.dims.map((dim, at) => {
      const isMeant = spec.name === input && at === axis;
      const isLinked = typeof symbol === "string" && spec.shape?.[at] === symbol;
      return isMeant || isLinked ? size : dim;
    });
    if (dims.some((dim, at) => dim !== draft.dims[at])) {
      next[spec.name] = { ...draft, dims, cells: resizeCells(spec.dtype, draft, dims) };
    }
  }
  return next;
}

/** A draft after its source was switched: form and JSON carry their values over where they can. */
export function withSource(spec: SpecView, draft: Draft, source: Draft["source"]): Draft {
  if (source === "json" && draft.source === "form" && draft.cells.length > 0) {
    return { ...draft, source, json: cellsToJson(spec.dtype, draft.dims, draft.cells) };
  }
  if (source === "form" && draft.source === "json") {
    const read = jsonToCells(draft.json);
    if (read && fits(spec, read.dims)) return { ...draft, source, ...read };
  }
  if (source === "form" && draft.cells.length === 0) {
    return { ...draft, source, cells: resizeCells(spec.dtype, { dims: [], cells: [] }, draft.dims) };
  }
  return { ...draft, source };
}

function fits(spec: SpecView, dims: readonly number[]): boolean {
  if (spec.shape === null) return true;
  return (
    spec.shape.length === dims.length && dims.every((dim, axis) => isDynamic(spec, axis) || spec.shape?.[axis] === dim)
  );
}

/**
 * A form after text from a spreadsheet was pasted at a cell: tabs part columns, line breaks rows. Rows are added
 * when the first axis is free; what goes past the last column or row is cut.
 */
export function withPaste(spec: SpecView, draft: Draft, at: number, text: string): Pick<Draft, "dims" | "cells"> {
  const pasted = text
    .replace(/\r\n?/g, "\n")
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.split("\t"));
  const before = formLayout(spec, draft.dims);
  const startRow = Math.floor(at / before.columns);
  const startColumn = at % before.columns;
  const dims = growTo(spec, draft.dims, startRow + pasted.length);
  const { columns, rows } = formLayout(spec, dims);
  const cells = resizeCells(spec.dtype, draft, dims);
  pasted.forEach((line, row) => {
    line.forEach((value, column) => {
      const isInside = startRow + row < rows && startColumn + column < columns;
      if (isInside) cells[(startRow + row) * columns + startColumn + column] = value.trim();
    });
  });
  return { dims, cells };
}

/** Dimensions with at least `rows` rows, as far as the first axis is free and the form can show them. */
function growTo(spec: SpecView, dims: readonly number[], rows: number): number[] {
  const layout = formLayout(spec, dims);
  if (layout.rowsPerStep === 0 || rows <= layout.rows) return [...dims];
  const most = Math.floor(MAX_FORM_CELLS / (layout.rowsPerStep * layout.columns));
  const steps = Math.min(Math.ceil(rows / layout.rowsPerStep), most);
  return [Math.max(steps, dims[0] ?? 1), ...dims.slice(1)];
}
