import type { EditInput, EditPart, ModelView, Row } from "../protocol/views";

/** What a form for a part starts from: texts, or JSON where the protocol says so. */
export function rowsOf(model: ModelView, part: EditPart): Row[] {
  switch (part) {
    case "labels":
      return model.labels.map(({ key, value }) => ({ key, value }));
    case "metadata":
      return model.metadataJson.flatMap(({ key, json }) => (json === null ? [] : [{ key, value: json }]));
    case "signatures":
      return model.declared.map(({ name, batchable, batchDim }) => ({
        key: name,
        value: JSON.stringify({ batchable, batchDim }),
      }));
    case "partialKwargs":
      return (model.partialKwargs ?? []).flatMap(({ key, json }) => (json === null ? [] : [{ key, value: json }]));
    case "notes":
      return [
        { key: "release", value: model.release },
        { key: "notes", value: model.notes },
      ];
  }
}

/** Whether anything was typed that is not what the form started from. */
export function isChanged({ base, entries }: EditInput): boolean {
  const filled = entries.filter(({ key, value }) => key !== "" || value !== "");
  return JSON.stringify(base) !== JSON.stringify(filled);
}

/** The rows of a fresh form: where there are none to edit, one to fill in. */
export function firstRows(part: EditPart, rows: readonly Row[]): Row[] {
  const isFilledIn = rows.length > 0 || part === "signatures" || part === "notes";
  return isFilledIn ? [...rows] : [{ key: "", value: "" }];
}

/**
 * A form over what the file says now, after somebody else wrote it: rows that the user left alone follow the file, rows
 * that the user changed stay as typed. `conflicts` names those of them that the other one changed, too.
 */
export function rebase(input: EditInput, current: readonly Row[]): { input: EditInput; conflicts: string[] } {
  const was = valuesOf(input.base);
  const now = valuesOf(current);
  const conflicts: string[] = [];
  const kept = input.entries.flatMap((entry) => {
    const before = was.get(entry.key);
    const after = now.get(entry.key);
    if (before === after || entry.value === after) return [entry];
    // Left alone by the user: follow the file, also where the row went.
    if (entry.value === before) return after === undefined ? [] : [{ key: entry.key, value: after }];
    conflicts.push(entry.key);
    return [entry];
  });
  const shown = new Set(input.entries.map(({ key }) => key));
  const removed = input.base.filter(({ key }) => !shown.has(key)).map(({ key }) => key);
  conflicts.push(...removed.filter((key) => now.has(key) && now.get(key) !== was.get(key)));
  const added = current.filter(({ key }) => !was.has(key) && !shown.has(key));
  const entries = [...kept, ...added.map(({ key, value }) => ({ key, value }))];
  return { input: { ...input, base: current.map(({ key, value }) => ({ key, value })), entries }, conflicts };
}

function valuesOf(rows: readonly Row[]): Map<string, string> {
  return new Map(rows.map(({ key, value }) => [key, value]));
}
