import type { YamlDate, YamlTimestamp } from "./values";

/** A date as Python's `isoformat` writes it. */
export function dateText({ year, month, day }: YamlDate): string {
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** A timestamp as Python's `isoformat` writes it, with the given separator between date and time. */
export function timestampText({ parts }: YamlTimestamp, separator: "T" | " "): string {
  const time = `${pad(parts.hour, 2)}:${pad(parts.minute, 2)}:${pad(parts.second, 2)}`;
  const fraction = parts.micros === 0 ? "" : `.${pad(parts.micros, 6)}`;
  return dateText(parts) + separator + time + fraction + offsetText(parts.offsetMinutes);
}

function offsetText(minutes: number | undefined): string {
  if (minutes === undefined) return "";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

function pad(value: number, width: number): string {
  return value.toString().padStart(width, "0");
}
