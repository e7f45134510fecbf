import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TensorRow, ViewRange } from "../../protocol/content";
import { elementCount } from "../../protocol/drafts";
import { usePage, useText } from "../context";
import { formatBytes, formatShape } from "../format";
import { Icon } from "../icons";
import { Button, Checkbox } from "../kit";
import { AxisPickers } from "./axisPickers";
import { ExportBar, useExport } from "./exportBar";
import { HeatMap } from "./heatMap";
import { LeafValue } from "./leafValue";
import { SliceGrid } from "./sliceGrid";
import { Statistics } from "./statistics";
import type { ChosenTensor } from "./tensorsState";

/** One tensor: what its header says, its figures, and a plane of its values. */
export function TensorPane({ chosen }: { readonly chosen: ChosenTensor }): VNode {
  const { row } = chosen;
  const t = useText();
  const heading = useRef<HTMLDivElement>(null);
  // Below the list, in a narrow page, what was chosen may be out of sight.
  useEffect(() => heading.current?.scrollIntoView({ block: "nearest" }), []);
  const isEmpty = row.dtype !== null && elementCount(row.shape) === 0;
  return (
    <div class="stack" data-testid="tensor-pane">
      <div class="stack-small" ref={heading}>
        <NameLine row={row} />
        <Facts row={row} />
      </div>
      {row.dtype === null ? <LeafValue chosen={chosen} /> : null}
      {isEmpty ? (
        <p class="quiet" data-testid="tensor-empty">
          {t("result.empty", formatShape(row.shape))}
        </p>
      ) : null}
      {row.dtype === null || isEmpty ? null : <Values chosen={chosen} />}
    </div>
  );
}

function NameLine({ row }: { readonly row: TensorRow }): VNode {
  const { peer } = usePage();
  const t = useText();
  const [isCopied, setCopied] = useState(false);
  const name = row.name === "" ? row.file : row.name;
  const copy = async (): Promise<void> => {
    await peer.request("text/copy", { text: name }).catch(() => undefined);
    setCopied(true);
  };
  return (
    <div class="head-tag">
      <h2 class="code tensor-name" data-testid="tensor-name">
        {name}
      </h2>
      <Button
        testId="tensor-copy-name"
        kind="icon"
        label={isCopied ? t("tag.copied") : t("tensor.copyName")}
        onClick={() => void copy()}
      >
        <Icon name={isCopied ? "check" : "copy"} />
      </Button>
    </div>
  );
}

function Facts({ row }: { readonly row: TensorRow }): VNode {
  const { locale } = usePage();
  const t = useText();
  const count = new Intl.NumberFormat(locale.value);
  const isNative = row.nativeDtype.toLowerCase() !== (row.dtype ?? row.kind);
  const facts: readonly (readonly [name: string, value: string])[] = [
    [t("sig.dtype"), `${row.dtype ?? row.kind}${isNative ? ` (${row.nativeDtype})` : ""}`],
    ...(row.dtype === null
      ? []
      : ([
          [t("sig.shape"), row.shape.length === 0 ? t("shape.scalar") : formatShape(row.shape)],
          [t("tensor.elements"), count.format(elementCount(row.shape))],
        ] as const)),
    [t("table.bytes"), formatBytes(row.bytes)],
    [t("table.file"), row.file],
    ...(row.offset === null ? [] : ([[t("tensor.offset"), count.format(row.offset)]] as const)),
  ];
  return (
    <dl class="facts" data-testid="tensor-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="code">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Values({ chosen }: { readonly chosen: ChosenTensor }): VNode {
  const { tensors } = usePage();
  const t = useText();
  const [selection, setSelection] = useState<ViewRange | undefined>(undefined);
  const exporting = useExport(chosen);
  const isText = chosen.row.dtype === "string";
  const view = JSON.stringify(chosen.view);
  useEffect(() => setSelection(undefined), [view]);
  return (
    <>
      {isText ? null : <Statistics tensor={chosen.tensor} row={chosen.row} />}
      <section class="stack-small" aria-label={t("tensor.slice")}>
        <div class="row values-bar">
          <AxisPickers chosen={chosen} />
          {isText || chosen.row.shape.length === 0 ? null : (
            <Checkbox
              testId="tensor-heat"
              label={t("heat.show")}
              checked={tensors.isHeatMap.value}
              onChange={(isShown) => tensors.showHeatMap(isShown)}
            />
          )}
        </div>
        {tensors.isHeatMap.value && !isText && chosen.row.shape.length > 0 ? (
          <HeatMap chosen={chosen} key={`heat ${view}`} />
        ) : null}
        <SliceGrid
          chosen={chosen}
          key={view}
          onSelect={setSelection}
          onCopy={(range) => void exporting.copy(range, "csv")}
        />
        <ExportBar chosen={chosen} selection={selection} exporting={exporting} />
      </section>
    </>
  );
}
