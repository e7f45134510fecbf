// biome-ignore-all lint/a11y/useFocusableInteractive: the tree has the focus and names its active line
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the tree handles the keys of all its lines
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TensorRow } from "../../protocol/content";
import { usePage, useText } from "../context";
import { formatBytes, formatPercent, formatShape } from "../format";
import { drawnItems, useWindow } from "../windowed";
import type { TreeLine } from "./tensorTree";

/** Height of a line in pixels; the style sheet has the same. */
const LINE_HEIGHT = 22;
/** Pixels that a level is moved in by. */
const INDENT = 14;
/** Lines that Page Up and Page Down pass. */
const PAGE = 10;
/** Typing goes on with the same word as long as no pause is longer, in milliseconds. */
const TYPING_MS = 800;

/** The tree of tensors; only the lines that are seen are in the document. */
export function TensorTreeView(props: { readonly lines: readonly TreeLine[]; readonly totalBytes: number }): VNode {
  const { lines, totalBytes } = props;
  const { tensors } = usePage();
  const t = useText();
  const viewport = useRef<HTMLDivElement>(null);
  const drawn = useWindow(viewport, { rows: lines.length, rowHeight: LINE_HEIGHT });
  const tree = useTreeKeys(lines, (line) => drawn.reveal(line));
  return (
    <div
      class="tree"
      role="tree"
      tabIndex={0}
      ref={viewport}
      aria-label={t("tensors.list")}
      aria-activedescendant={`tensor-line-${tree.active}`}
      data-testid="tensors-tree"
      onScroll={drawn.onScroll}
      onKeyDown={tree.onKeyDown}
    >
      <div class="tree-body" role="presentation" style={{ height: `${drawn.bodyHeight}px` }}>
        {drawnItems(drawn.firstRow, drawn.lastRow, tree.active).map((index) => {
          const line = lines[index];
          return line === undefined ? null : (
            <Line
              key={line.node.id}
              line={line}
              index={index}
              place={drawn.rowPlace(index)}
              row={line.node.tensor === undefined ? undefined : tensors.rows.value[line.node.tensor]}
              isActive={index === tree.active}
              totalBytes={totalBytes}
              onPress={() => tree.press(index)}
            />
          );
        })}
      </div>
    </div>
  );
}

function Line(props: {
  readonly line: TreeLine;
  readonly index: number;
  readonly place: number;
  readonly row: TensorRow | undefined;
  readonly isActive: boolean;
  readonly totalBytes: number;
  readonly onPress: () => void;
}): VNode {
  const { line, index, place, row, isActive, totalBytes, onPress } = props;
  const { locale, tensors } = usePage();
  const t = useText();
  const { node, label, level, position, siblings, isExpanded } = line;
  const count = new Intl.NumberFormat(locale.value);
  const share = totalBytes > 0 ? formatPercent(locale.value, node.bytes / totalBytes) : "";
  const parameters = count.format(node.parameters);
  const type = row && `${row.dtype ?? row.kind}${row.dtype === null ? "" : ` ${formatShape(row.shape)}`}`;
  const group =
    node.tensors === 1 ? t("tensors.groupOne", parameters) : t("tensors.group", count.format(node.tensors), parameters);
  const isChosen = node.tensor !== undefined && tensors.chosen.value?.tensor === node.tensor;
  return (
    <div
      class="tree-line"
      role="treeitem"
      id={`tensor-line-${index}`}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={isExpanded}
      aria-selected={isChosen}
      data-active={isActive}
      data-testid="tensor-line"
      title={`${row?.name ?? label} · ${type ?? group} · ${formatBytes(node.bytes)} ${share}`}
      style={{ top: `${place}px`, paddingInlineStart: `${6 + (level - 1) * INDENT}px` }}
      onClick={onPress}
    >
      <span class="tree-twist" aria-hidden="true">
        {isExpanded === undefined ? "" : isExpanded ? "▾" : "▸"}
      </span>
      <span class="tree-label code">{label}</span>
      <span class="tree-about code quiet">{type ?? t("tensors.parameters", parameters)}</span>
      <span class="tree-bytes">{formatBytes(node.bytes)}</span>
      <span class="tree-share quiet">{share}</span>
    </div>
  );
}

/** Keys and clicks move the active line, open groups and choose tensors. */
function useTreeKeys(
  lines: readonly TreeLine[],
  reveal: (index: number) => void,
): { active: number; onKeyDown: (event: KeyboardEvent) => void; press: (index: number) => void } {
  const { tensors } = usePage();
  const chosen = tensors.chosen.value?.tensor;
  const [at, setAt] = useState<string | undefined>(undefined);
  const typed = useRef({ text: "", at: 0 });
  // Lines come and go: the active one is known by its node.
  const wanted = at ?? (chosen === undefined ? undefined : `#${chosen}`);
  const active = Math.max(
    0,
    lines.findIndex(({ node }) => node.id === wanted),
  );
  useEffect(() => {
    if (lines.length > 0) reveal(active);
  }, [lines.length === 0]);
  const go = (index: number): void => {
    const to = Math.min(Math.max(index, 0), lines.length - 1);
    setAt(lines[to]?.node.id);
    reveal(to);
  };
  const toggle = ({ node, isExpanded }: TreeLine): void => tensors.expand(node.id, !isExpanded);
  const act = (line: TreeLine): void => {
    if (line.node.tensor === undefined) toggle(line);
    else tensors.choose(line.node.tensor);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[active];
    if (!line || event.altKey || event.metaKey || event.ctrlKey) return;
    const to = targetOf(event.key, lines, active);
    if (to !== undefined) go(to);
    else if (event.key === "Enter" || event.key === " ") act(line);
    else if (event.key === "ArrowRight" && line.isExpanded === false) toggle(line);
    else if (event.key === "ArrowLeft" && line.isExpanded) toggle(line);
    else if (event.key.length === 1) find(event.key);
    else return;
    event.preventDefault();
  };
  const find = (key: string): void => {
    const now = Date.now();
    const isLater = now - typed.current.at > TYPING_MS;
    typed.current = { text: (isLater ? "" : typed.current.text) + key.toLowerCase(), at: now };
    // A new word may be the next line's, a longer one also the active line's.
    const from = active + (isLater ? 1 : 0);
    const order = [...lines.slice(from), ...lines.slice(0, from)];
    const found = order.find(({ label }) => label.toLowerCase().startsWith(typed.current.text));
    if (found) go(lines.indexOf(found));
  };
  const press = (index: number): void => {
    const line = lines[index];
    if (!line) return;
    setAt(line.node.id);
    act(line);
  };
  return { active, onKeyDown, press };
}

/** The line that a key leads to; `undefined` when the key does something else. */
function targetOf(key: string, lines: readonly TreeLine[], active: number): number | undefined {
  const line = lines[active];
  switch (key) {
    case "ArrowDown":
      return active + 1;
    case "ArrowUp":
      return active - 1;
    case "Home":
      return 0;
    case "End":
      return lines.length - 1;
    case "PageDown":
      return active + PAGE;
    case "PageUp":
      return active - PAGE;
    case "ArrowRight":
      return line?.isExpanded ? active + 1 : undefined;
    case "ArrowLeft": {
      if (!line || line.isExpanded || line.level === 1) return undefined;
      const above = lines
        .slice(0, active)
        .map(({ level }) => level < line.level)
        .lastIndexOf(true);
      return above < 0 ? undefined : above;
    }
    default:
      return undefined;
  }
}
