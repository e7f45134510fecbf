/** `2026-03-05 14:07:00` in the local zone. */
export function localTime(epochMs: number): string {
  const date = new Date(epochMs);
  const pad = (value: number) => value.toString().padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
