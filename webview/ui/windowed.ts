import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Items drawn beyond what is seen at each side, so that scrolling shows no gaps. */
const MARGIN = 4;
/**
 * Browsers cap an element at some 33 million pixels. A longer body is drawn at this length; dragging the thumb of its
 * scroll bar then jumps by the share of the way, while wheel and keys go on moving item by item.
 */
export const MAX_PIXELS = 30_000_000;

/** One direction of a list or grid: how many items, of how many pixels each, seen through how many pixels. */
export interface Axis {
  readonly count: number;
  readonly size: number;
  readonly extent: number;
}

/** Where an axis is scrolled to: in pixels, and the item at the near edge with the part of it that is out of sight. */
export interface Scrolled {
  readonly pixels: number;
  readonly item: number;
}

/** Length of the body in pixels. */
export function bodyPixels({ count, size }: Pick<Axis, "count" | "size">): number {
  return Math.min(count * size, MAX_PIXELS);
}

/** Where to scroll so that an item is at the near edge. */
export function pixelsOf(axis: Axis, item: number): number {
  if (!isScaled(axis)) return item * axis.size;
  return (item / lastItem(axis)) * (MAX_PIXELS - axis.extent);
}

/** What a scroll event means; its `pixels` differ from those given when the viewport is to be moved along. */
export function scrolledTo(axis: Axis, was: Scrolled, pixels: number): Scrolled {
  if (!isScaled(axis)) return { pixels, item: pixels / axis.size };
  const moved = pixels - was.pixels;
  const last = lastItem(axis);
  const range = MAX_PIXELS - axis.extent;
  if (Math.abs(moved) > 2 * axis.extent) return { pixels, item: (Math.min(pixels, range) / range) * last };
  const item = Math.min(Math.max(was.item + moved / axis.size, 0), last);
  // The bar is at its end before the items are: it is set back by a page, so that there is a way to go.
  if (pixels <= 0 && item > 0) return { pixels: axis.extent, item };
  if (pixels >= range && item < last) return { pixels: range - axis.extent, item };
  return { pixels, item };
}

/** Pixels from the body's beginning to an item's. */
export function placeOf(axis: Axis, at: Scrolled, index: number): number {
  if (!isScaled(axis)) return index * axis.size;
  // Far out of sight is far enough: the body must not grow.
  const place = at.pixels + (index - at.item) * axis.size;
  return Math.min(Math.max(place, 0), MAX_PIXELS - axis.size);
}

/** The first item that is at least partly within sight when an item was brought there by the shortest way. */
export function revealed({ size, extent }: Axis, at: Scrolled, index: number): number {
  const seen = Math.max(1, extent / size);
  if (index < at.item) return index;
  return index + 1 > at.item + seen ? index + 1 - seen : at.item;
}

function isScaled({ count, size }: Axis): boolean {
  return count * size > MAX_PIXELS;
}

function lastItem({ count, size, extent }: Axis): number {
  return Math.max(1, count - extent / size);
}

/** Rows, and columns if there are any, that are drawn only as far as they are seen. */
export interface WindowSizes {
  readonly rows: number;
  readonly rowHeight: number;
  /** Pixels above the first row that stay in sight; 0 when left out. */
  readonly head?: number;
  readonly columns?: number;
  readonly columnWidth?: number;
  /** Pixels before the first column that stay in sight; 0 when left out. */
  readonly labels?: number;
}

/** The part of a list or grid that is to be in the document; the ends are exclusive. */
export interface Windowed {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly firstColumn: number;
  readonly lastColumn: number;
  /** First row that is seen. */
  readonly topRow: number;
  /** Pixels of the body, head and labels included. */
  readonly bodyHeight: number;
  readonly bodyWidth: number;
  /** Pixels from the body's top to a row's, the head included. */
  rowPlace(row: number): number;
  /** Pixels from the body's beginning to a column's, the labels included. */
  columnPlace(column: number): number;
  /** Scrolls as little as is needed to see a row and a column. */
  reveal(row: number, column?: number): void;
  /** For the viewport's scroll events. */
  onScroll(): void;
}

/** What a viewport shows: its pixels inside, and where it is scrolled to. */
interface Seen {
  readonly height: number;
  readonly width: number;
  readonly down: Scrolled;
  readonly along: Scrolled;
}

const START: Scrolled = { pixels: 0, item: 0 };

/** Follows a scrolled element and says which part of its content is to be drawn. */
export function useWindow(viewport: { readonly current: HTMLElement | null }, sizes: WindowSizes): Windowed {
  const [seen, setSeen] = useState<Seen>({ height: 300, width: 600, down: START, along: START });
  const latest = useRef(seen);
  const see = (element: HTMLElement, down: Scrolled, along: Scrolled): void => {
    if (Math.abs(element.scrollTop - down.pixels) >= 1) element.scrollTop = down.pixels;
    if (Math.abs(element.scrollLeft - along.pixels) >= 1) element.scrollLeft = along.pixels;
    latest.current = { height: element.clientHeight, width: element.clientWidth, down, along };
    setSeen(latest.current);
  };
  const onScroll = (): void => {
    const { current } = viewport;
    if (!current) return;
    const was = latest.current;
    const { down, along } = axesOf(sizes, { height: current.clientHeight, width: current.clientWidth });
    see(current, scrolledTo(down, was.down, current.scrollTop), scrolledTo(along, was.along, current.scrollLeft));
  };
  const reveal = (row: number, column?: number): void => {
    const { current } = viewport;
    if (!current) return;
    const was = latest.current;
    const { down, along } = axesOf(sizes, was);
    const item = revealed(down, was.down, row);
    const beside = column === undefined ? was.along.item : revealed(along, was.along, column);
    see(current, { item, pixels: pixelsOf(down, item) }, { item: beside, pixels: pixelsOf(along, beside) });
  };
  const measure = useRef(onScroll);
  measure.current = onScroll;
  useLayoutEffect(() => {
    const { current } = viewport;
    if (!current) return;
    const observer = new ResizeObserver(() => measure.current());
    observer.observe(current);
    measure.current();
    return () => observer.disconnect();
  }, []);
  // Columns that became wider leave the first of them where it is.
  useLayoutEffect(() => {
    const { current } = viewport;
    const { down, along } = latest.current;
    const pixels = pixelsOf(axesOf(sizes, latest.current).along, along.item);
    if (current && pixels !== along.pixels) see(current, down, { item: along.item, pixels });
  }, [sizes.columnWidth]);
  return { ...layoutOf(sizes, seen), reveal, onScroll };
}

function axesOf(sizes: WindowSizes, { height, width }: Pick<Seen, "height" | "width">): { down: Axis; along: Axis } {
  const { rows, rowHeight, head = 0, columns = 1, columnWidth = 1, labels = 0 } = sizes;
  return {
    down: { count: rows, size: rowHeight, extent: Math.max(rowHeight, height - head) },
    along: { count: columns, size: columnWidth, extent: Math.max(columnWidth, width - labels) },
  };
}

function layoutOf(sizes: WindowSizes, seen: Seen): Omit<Windowed, "reveal" | "onScroll"> {
  const { head = 0, labels = 0 } = sizes;
  const { down, along } = axesOf(sizes, seen);
  const [firstRow, lastRow] = drawnPart(down, seen.down);
  const [firstColumn, lastColumn] = drawnPart(along, seen.along);
  return {
    firstRow,
    lastRow,
    firstColumn,
    lastColumn,
    topRow: Math.floor(seen.down.item),
    bodyHeight: head + bodyPixels(down),
    bodyWidth: labels + bodyPixels(along),
    rowPlace: (row) => head + placeOf(down, seen.down, row),
    columnPlace: (column) => labels + placeOf(along, seen.along, column),
  };
}

function drawnPart(axis: Axis, { item }: Scrolled): readonly [first: number, last: number] {
  const last = Math.min(axis.count, Math.ceil(item + axis.extent / axis.size) + MARGIN);
  return [Math.min(Math.max(0, Math.floor(item) - MARGIN), last), last];
}

/** The numbers from one to another, which is left out; and one more where it is not among them. */
export function drawnItems(from: number, to: number, extra?: number): number[] {
  const items = Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
  return extra === undefined || (extra >= from && extra < to) ? items : [...items, extra];
}
