import type { ContentView } from "../protocol/content";
import type { Section } from "../protocol/savedState";

/** Verdicts that nobody should have to look for. */
const NOTICED: ReadonlySet<string> = new Set(["dangerous", "code", "unresolvable"]);

/** Whether the verdict on a pickle comes before everything else. */
export function isNoticed(pickle: ContentView["pickle"]): boolean {
  return pickle !== null && NOTICED.has(pickle.verdict);
}

/** What a file opens with: what its reader came for, a graph's inputs and outputs or the weights. */
export function firstSection({ onnx, pickle, tensorCount }: ContentView): Section {
  if (onnx) return "overview";
  if (pickle && (isNoticed(pickle) || tensorCount === 0)) return "pickle";
  return tensorCount > 0 ? "tensors" : "overview";
}
