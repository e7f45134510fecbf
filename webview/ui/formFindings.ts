import { cellIssue } from "../protocol/drafts";
import type { DraftState, SpecView } from "../protocol/views";

/** A cell of a form that holds no value of its dtype. */
export interface CellFinding {
  readonly index: number;
  readonly text: string;
  readonly kind: "empty" | "number" | "integer" | "range" | "bool";
}

/** Cells that cannot be sent, by input; inputs without any are left out. Only forms are looked at. */
export function formFindings(
  specs: readonly SpecView[],
  state: DraftState | undefined,
): Readonly<Record<string, readonly CellFinding[]>> {
  const found: Record<string, readonly CellFinding[]> = {};
  for (const { name, dtype } of specs) {
    const draft = state?.drafts[name];
    if (draft?.source !== "form") continue;
    const findings = draft.cells.flatMap((text, index) => {
      const kind = cellIssue(dtype, text);
      return kind === undefined ? [] : [{ index, text, kind }];
    });
    if (findings.length > 0) found[name] = findings;
  }
  return found;
}
