// A node:test reporter that writes one JSON document: every test with its state, for scripts/test.mjs to count.

/** @param {AsyncIterable<{type: string, data: any}>} events */
export default async function* resultReporter(events) {
  const results = [];
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    // A suite counts only when it failed by itself, in a hook for instance.
    const byItsTests = type === "test:pass" || data.details?.error?.failureType === "subtestsFailed";
    if (data.details?.type === "suite" && byItsTests) continue;
    const ms = Math.round(data.details?.duration_ms ?? 0);
    results.push({ title: data.name, state: stateOf(type, data), ms, file: data.file });
    if (data.skip || data.todo) results.at(-1).reason = String(data.skip || data.todo);
  }
  yield JSON.stringify({ results }, null, 1);
}

function stateOf(type, data) {
  if (data.skip !== undefined || data.todo !== undefined) return "skipped";
  return type === "test:pass" ? "passed" : "failed";
}
