/** Rows of cells as aligned lines, each behind `indent`; the last column is not padded. */
export function table(rows: readonly (readonly string[])[], indent = ""): string[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const widths = Array.from({ length: columns }, (_, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), 0),
  );
  return rows.map((row) => {
    const padded = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)));
    return `${indent}${padded.join("  ")}`.trimEnd();
  });
}
