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
    const reason = data.skip || data.todo || failure(data);
    if (reason) results.at(-1).reason = String(reason);
  }
  yield JSON.stringify({ results }, null, 1);
}

/** What a test that failed said: an error's own words stand below the runner's. */
function failure({ details }) {
  return details?.error?.cause?.message ?? details?.error?.message;
}

function stateOf(type, data) {
  if (data.skip !== undefined || data.todo !== undefined) return "skipped";
  return type === "test:pass" ? "passed" : "failed";
}
