/** Since then every zone is off UTC by whole minutes. */
const WHOLE_MINUTES_MS = Date.UTC(1973, 0, 1);
const LAST_MS = Date.UTC(9999, 0, 1);

/** `2026-03-05 14:07:00` in the local zone. */
export function localTime(epochMs: number): string {
  const date = new Date(epochMs);
  if (epochMs > WHOLE_MINUTES_MS && epochMs < LAST_MS) {
    // Several times as fast as asking for each part.
    const shifted = new Date(epochMs - date.getTimezoneOffset() * 60_000).toISOString();
    return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)}`;
  }
  const pad = (value: number) => value.toString().padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
