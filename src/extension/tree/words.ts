import { visible } from "../../base/visible";
import type { Localize } from "../services";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Largest unit first: how long it is, its short form, and its long form for one and for many. */
const UNITS = [
  [365 * DAY, "{0}y", "1 year ago", "{0} years ago"],
  [30 * DAY, "{0}mo", "1 month ago", "{0} months ago"],
  [7 * DAY, "{0}w", "1 week ago", "{0} weeks ago"],
  [DAY, "{0}d", "1 day ago", "{0} days ago"],
  [HOUR, "{0}h", "1 hour ago", "{0} hours ago"],
  [MINUTE, "{0}m", "1 minute ago", "{0} minutes ago"],
] as const;

/** The age of an instant, `2d`; what lies less than a minute back, or ahead of the clock, is `now`. */
export function shortAge(t: Localize, thenMs: number, nowMs: number): string {
  const unit = UNITS.find(([length]) => nowMs - thenMs >= length);
  return unit ? t(unit[1], Math.floor((nowMs - thenMs) / unit[0])) : t("now");
}

/** The age of an instant in words, `2 days ago`, for tooltips and screen readers. */
export function longAge(t: Localize, thenMs: number, nowMs: number): string {
  const unit = UNITS.find(([length]) => nowMs - thenMs >= length);
  if (!unit) return t("just now");
  const count = Math.floor((nowMs - thenMs) / unit[0]);
  return count === 1 ? t(unit[2]) : t(unit[3], count);
}

/** A message without the path that it begins with, where what is beside it says whose it is. */
export function withoutPath(message: string, path: string): string {
  return message.startsWith(path) ? message.slice(path.length).replace(/^[/:\s]+/, "") : message;
}

/** Longest text that a tooltip shows whole. */
const MAX_TOOLTIP = 4000;

/** `text` for Markdown that shows it as it is: every character with a meaning there is escaped. */
export function markdownText(text: string): string {
  return visible(text, MAX_TOOLTIP).replace(/[\\`*_{}[\]()#+\-.!|<>~&$:]/g, "\\$&");
}
