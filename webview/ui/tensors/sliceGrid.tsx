import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ViewRange } from "../../protocol/content";
import { usePage, useText } from "../context";
import { ErrorBox } from "../errorBox";
import { formatCell, formatShape } from "../format";
import { Button } from "../kit";
import { ValueGrid } from "../valueGrid";
import { SliceReader } from "./slices";
import type { ChosenTensor } from "./tensorsState";

/** Most rows seen at once. */
const VISIBLE_ROWS = 16;
/** Characters that a column has room for at least. */
const LEAST_CHARACTERS = 6;

interface Place {
  readonly row: number;
  readonly column: number;
}

/** Rows and columns of the plane that is looked at, every value exact. */
export function SliceGrid(props: {
  readonly chosen: ChosenTensor;
  readonly onSelect: (range: ViewRange) => void;
  readonly onCopy: (range: ViewRange) => void;
}): VNode {
  const { chosen, onSelect, onCopy } = props;
  const { peer } = usePage();
  const t = useText();
  const { tensor, row, view } = chosen;
  const size = planeSize(chosen);
  const reader = useMemo(() => new SliceReader(peer, tensor, view, size), []);
  useEffect(() => () => reader.dispose(), []);
  const [range, setRange] = useState<ViewRange>({ rowStart: 0, rowCount: 1, columnStart: 0, columnCount: 1 });
  const [target, setTarget] = useState<Place | undefined>(undefined);
  const longest = useRef(LEAST_CHARACTERS);
  // Reading the signal here draws the grid again when values came.
  void reader.version.value;
  const dtype = row.dtype ?? "";
  const title = row.name === "" ? row.file : row.name;
  const [characters, setCharacters] = useState(LEAST_CHARACTERS);
  useEffect(() => setCharacters(longest.current), [reader.version.value]);
  const failure = reader.failure.value;
  return (
    <div class="stack-small">
      <ValueGrid
        label={t("slice.grid", title, size.rows, size.columns)}
        testId="slice"
        rows={size.rows}
        columns={size.columns}
        characters={characters}
        visibleRows={VISIBLE_ROWS}
        corner={t("result.row")}
        rowLabel={String}
        columnLabel={String}
        cellAt={(at, column) => {
          const value = reader.at(at, column);
          if (value === undefined) return undefined;
          const text = formatCell(dtype, value);
          longest.current = Math.max(longest.current, text.length);
          return { text, title: String(value) };
        }}
        onWindow={(drawn) => reader.show(drawn)}
        onSelect={(selected) => {
          setRange(selected);
          onSelect(selected);
        }}
        onCopy={() => onCopy(range)}
        target={target}
      />
      {failure ? (
        <ErrorBox error={failure} testId="slice-error">
          <Button testId="slice-retry" onClick={() => reader.retry()}>
            {t("page.retry")}
          </Button>
        </ErrorBox>
      ) : null}
      <div class="row slice-foot">
        <p class="code slice-place" data-testid="slice-place">
          {placeText(chosen, range)}
          {range.rowCount * range.columnCount === 1 ? ` = ${exactText(reader, range)}` : null}
        </p>
        <GoTo size={size} onGo={setTarget} />
      </div>
    </div>
  );
}

/** Rows and columns of a view. */
export function planeSize({ row, view }: ChosenTensor): { readonly rows: number; readonly columns: number } {
  const along = (axis: number | null): number => (axis === null ? 1 : (row.shape[axis] ?? 1));
  return { rows: along(view.rowAxis), columns: along(view.columnAxis) };
}

function exactText(reader: SliceReader, { rowStart, columnStart }: ViewRange): string {
  const value = reader.at(rowStart, columnStart);
  return value === undefined ? "…" : String(value);
}

/** The indices of the selected values in the tensor, as NumPy writes them: `[0, 3:5, :2]`. */
function placeText({ row, view }: ChosenTensor, range: ViewRange): string {
  const span = (start: number, count: number): string => (count === 1 ? String(start) : `${start}:${start + count}`);
  if (row.shape.length === 0) return "[]";
  return formatShape(
    row.shape.map((_, axis) => {
      if (axis === view.rowAxis) return span(range.rowStart, range.rowCount);
      if (axis === view.columnAxis) return span(range.columnStart, range.columnCount);
      return String(view.fixed[axis] ?? 0);
    }),
  );
}

/** Fields for a row and a column, and a button that goes there. */
function GoTo(props: {
  readonly size: { readonly rows: number; readonly columns: number };
  readonly onGo: (place: Place) => void;
}): VNode | null {
  const { size, onGo } = props;
  const t = useText();
  const row = useRef<HTMLInputElement>(null);
  const column = useRef<HTMLInputElement>(null);
  if (size.rows * size.columns === 1) return null;
  const within = (field: HTMLInputElement | null, count: number): number => {
    const value = field?.valueAsNumber ?? 0;
    return Number.isInteger(value) ? Math.min(Math.max(value, 0), count - 1) : 0;
  };
  const go = (): void => onGo({ row: within(row.current, size.rows), column: within(column.current, size.columns) });
  const fields = [
    { name: "row", ref: row, count: size.rows },
    { name: "column", ref: column, count: size.columns },
  ] as const;
  return (
    <div class="row goto">
      {fields
        .filter(({ count }) => count > 1)
        .map(({ name, ref, count }) => (
          <label class="dim" key={name}>
            <span class="quiet">{t(`slice.${name}`)}</span>
            <input
              type="number"
              ref={ref}
              min={0}
              max={count - 1}
              defaultValue="0"
              data-testid={`goto-${name}`}
              onKeyDown={(event) => {
                if (event.key === "Enter") go();
              }}
            />
          </label>
        ))}
      <Button testId="goto" onClick={go}>
        {t("slice.go")}
      </Button>
    </div>
  );
}
