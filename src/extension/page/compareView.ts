import type { ComparisonView, DifferenceRow, FactView } from "../../../webview/protocol/compare";
import type { ComparisonSummary } from "../../frameworks/compare/compareJobs";
import type { TensorDifference, TensorHead } from "../../frameworks/compare/comparison";
import { haveUlps } from "../../tensors/difference";
import { shownValue } from "../../tensors/shownValues";

/** Longest text that crosses to the page. */
const MOST_CHARACTERS = 1_000;
/** Most warnings that are shown. */
const MOST_WARNINGS = 100;

/** What a page shows of a comparison as a whole. */
export function comparisonView(found: ComparisonSummary): ComparisonView {
  const { a, b, same, facts, moreFacts, counts, tensors, moreTensors, warnings } = found;
  const side = ({ name, kind, format, bytes, tensors: count }: ComparisonSummary["a"]): ComparisonView["a"] => ({
    name,
    kind,
    format,
    bytes,
    tensors: count,
  });
  return {
    a: side(a),
    b: side(b),
    same,
    facts: facts.map(({ part, key, change, a, b }) => ({ part, key, change, a: factView(a), b: factView(b) })),
    moreFacts,
    counts: { ...counts },
    rows: tensors.length,
    moreRows: moreTensors,
    warnings: warnings.slice(0, MOST_WARNINGS).map(({ message }) => cut(message)),
  };
}

/** What a page shows of one tensor that differs. */
export function differenceRow(found: TensorDifference): DifferenceRow {
  const { changes, a, b, values, leaf, reason, near = [] } = found;
  const figure = (value: number | null) => (value === null ? null : shownValue(value));
  return {
    changes: [...changes],
    a: headOf(a),
    b: headOf(b),
    values: values && {
      count: values.count,
      differing: values.differing,
      nan: values.nan,
      maxAbs: figure(values.maxAbs),
      maxRel: figure(values.maxRel),
      norm: figure(values.norm),
      worst: values.worst && { index: [...values.worst.index], a: values.worst.a, b: values.worst.b },
    },
    leaf: leaf ? { a: cut(leaf.a), b: cut(leaf.b) } : null,
    reason: reason === undefined ? null : cut(reason),
    near: near.map(cut),
    hasUlps: Boolean(values && a?.dtype && b?.dtype && haveUlps(a.dtype, b.dtype)),
  };
}

/** A file's facts are data, all else is text. */
function factView(value: ComparisonSummary["facts"][number]["a"]): FactView | null {
  return value === null || typeof value === "string" ? value : { ...value };
}

function headOf(head: TensorHead | null): DifferenceRow["a"] {
  if (!head) return null;
  const { name, file, dtype, nativeDtype, shape, bytes } = head;
  // The one array of a file has no name of its own.
  return { name: cut(name === "" ? file : name), dtype: dtype ?? cut(nativeDtype), shape: [...shape], bytes };
}

function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
