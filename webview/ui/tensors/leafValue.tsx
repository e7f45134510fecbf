import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Cells, ErrorView } from "../../protocol/views";
import { usePage, useText } from "../context";
import { failureOf } from "../editState";
import { ErrorBox } from "../errorBox";
import type { ChosenTensor } from "./tensorsState";

/** The value of a leaf that is no array: a number, a text, a truth value, or that it is empty. */
export function LeafValue({ chosen: { tensor, row, view } }: { readonly chosen: ChosenTensor }): VNode {
  const { peer } = usePage();
  const t = useText();
  const isValue = row.kind !== "null" && row.kind !== "empty_map" && row.kind !== "empty_list";
  const [value, setValue] = useState<Cells[number] | undefined>(undefined);
  const [failure, setFailure] = useState<ErrorView | undefined>(undefined);
  useEffect(() => {
    if (!isValue) return;
    const abort = new AbortController();
    const range = { rowStart: 0, rowCount: 1, columnStart: 0, columnCount: 1 };
    peer
      .request("tensor/slice", { tensor, view: { ...view, rowAxis: null, columnAxis: null }, range }, abort.signal)
      .then(({ values }) => setValue(values[0]))
      .catch((error) => {
        if (!abort.signal.aborted) setFailure(failureOf(error));
      });
    return () => abort.abort();
  }, []);
  if (failure) return <ErrorBox error={failure} testId="leaf-error" />;
  if (!isValue) return <p class="quiet">{t(`leaf.${row.kind as "null" | "empty_map" | "empty_list"}`)}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre class="raw leaf-value" tabIndex={0} data-testid="leaf-value">
      {value === undefined ? "…" : String(value)}
    </pre>
  );
}
