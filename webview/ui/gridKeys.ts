/** The cell that a key leads to in a grid of rows times columns; `undefined` when the key means nothing there. */
export function gridTarget(
  event: { readonly key: string; readonly ctrlKey: boolean; readonly metaKey: boolean; readonly altKey: boolean },
  index: number,
  rows: number,
  columns: number,
  edge: { readonly start: boolean; readonly end: boolean },
): number | undefined {
  if (event.altKey || event.metaKey) return undefined;
  const row = Math.floor(index / columns);
  const column = index % columns;
  const at = (toRow: number, toColumn: number): number =>
    Math.min(Math.max(toRow, 0), rows - 1) * columns + Math.min(Math.max(toColumn, 0), columns - 1);
  switch (event.key) {
    case "ArrowUp":
      return at(row - 1, column);
    case "ArrowDown":
      return at(row + 1, column);
    case "ArrowLeft":
      return edge.start ? at(row, column - 1) : undefined;
    case "ArrowRight":
      return edge.end ? at(row, column + 1) : undefined;
    case "PageUp":
      return at(row - 10, column);
    case "PageDown":
      return at(row + 10, column);
    case "Home":
      return event.ctrlKey ? at(0, 0) : edge.start ? at(row, 0) : undefined;
    case "End":
      return event.ctrlKey ? at(rows - 1, columns - 1) : edge.end ? at(row, columns - 1) : undefined;
    default:
      return undefined;
  }
}
