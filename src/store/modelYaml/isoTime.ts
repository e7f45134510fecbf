import { type TimestampParts, YamlTimestamp } from "../../formats/pyYaml";

// A digit after a compact week is its day only where the digits that follow leave whole pairs for the time.
const DATE =
  /^(\d{4})(?:-(\d{2})-(\d{2})|(\d{2})(\d{2})|-W(\d{2})(?:-(\d)(?!\d))?|W(\d{2})(\d(?!\d)|\d(?=\d(?:\d\d)*(?!\d)))?)/;
// Python takes a fraction after any part; after seconds a colon as well as a point, or with no separators at all
// nothing, when it has two digits or more.
const CLOCK = /^(\d{2})(?::(\d{2})(?::(\d{2})(?::(\d+)$)?)?|(\d{2})(?:(\d{2})(\d{2,}$)?)?)?(?:[.,](\d+))?$/;
// In front of a zone Python passes over one character that follows a pair of digits, whatever it is.
const STRAY = /^(\d{2}|\d{4}|\d{6}|\d{2}:\d{2}|\d{2}:\d{2}:\d{2})\p{ASCII}$/u;
const DAY_MS = 86_400_000;

/** An instant, to microseconds. */
export interface Instant {
  /** Milliseconds since the epoch, rounded down. */
  readonly epochMs: number;
  /** 0 to 999. */
  readonly micros: number;
}

/**
 * Reads a time as Python 3.11's `datetime.fromisoformat` does, or `undefined` where that raises ValueError.
 * Offsets with seconds, which no zone in use has, are not read.
 */
export function parseIsoTime(text: string): YamlTimestamp | undefined {
  const match = DATE.exec(text);
  const date = match === null ? undefined : calendarDate(match);
  if (match === null || date === undefined) return undefined;
  const after = [...text.slice(match[0].length)];
  if (after.length === 0) return new YamlTimestamp({ ...date, ...MIDNIGHT, offsetMinutes: undefined });
  // Any one character may stand between date and time.
  const clock = clockOf(after.slice(1).join(""));
  return clock === undefined ? undefined : new YamlTimestamp({ ...date, ...clock });
}

/** The instant of a timestamp; one without a zone is local time, as Python's `astimezone` has it. */
export function instantOf({ parts }: YamlTimestamp): Instant {
  const { year, month, day, hour, minute, second, micros, offsetMinutes } = parts;
  const date = new Date(0);
  if (offsetMinutes === undefined) {
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, second, Math.floor(micros / 1000));
  } else {
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute - offsetMinutes, second, Math.floor(micros / 1000));
  }
  return { epochMs: date.getTime(), micros: micros % 1000 };
}

const UTC_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d\d\d)(\d\d\d))?\+00:00$/;

/**
 * The instant of a time in the one form that BentoML writes, several times as fast as by way of a timestamp;
 * `undefined` for every other form and for what is no time.
 */
export function utcInstant(text: string): Instant | undefined {
  const match = UTC_TIME.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const day = Number(match[3]);
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])];
  // Years below 100 would be taken for ones of the twentieth century.
  if (year < 100 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, Number(match[2]) - 1, day, hour, minute, second, Number(match[7] ?? 0)));
  // A day or a month that is none has moved the date on.
  if (date.getUTCDate() !== day || date.getUTCMonth() + 1 !== Number(match[2])) return undefined;
  return { epochMs: date.getTime(), micros: Number(match[8] ?? 0) };
}

/** The timestamp in UTC of an instant. */
export function utcTimestamp({ epochMs, micros }: Instant): YamlTimestamp {
  const date = new Date(epochMs);
  return new YamlTimestamp({
    ...dateParts(date),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    micros: date.getUTCMilliseconds() * 1000 + micros,
    offsetMinutes: 0,
  });
}

type DateParts = Pick<TimestampParts, "year" | "month" | "day">;
type ClockParts = Pick<TimestampParts, "hour" | "minute" | "second" | "micros">;

const MIDNIGHT: ClockParts = { hour: 0, minute: 0, second: 0, micros: 0 };

function calendarDate(match: RegExpExecArray): DateParts | undefined {
  const year = Number(match[1]);
  const week = match[6] ?? match[8];
  if (week !== undefined) return weekDate(year, Number(week), Number(match[7] ?? match[9] ?? 1));
  const month = Number(match[2] ?? match[4]);
  const day = Number(match[3] ?? match[5]);
  const parts = dateParts(utcDate(year, month - 1, day));
  return year > 0 && parts.month === month && parts.day === day && parts.year === year ? parts : undefined;
}

/** ISO weeks: week 1 holds the year's first Thursday. */
function weekDate(year: number, week: number, day: number): DateParts | undefined {
  const firstMonday = mondayOf(year);
  const weeks = Math.round((mondayOf(year + 1) - firstMonday) / DAY_MS) / 7;
  if (year < 1 || week < 1 || week > weeks || day < 1 || day > 7) return undefined;
  const parts = dateParts(new Date(firstMonday + ((week - 1) * 7 + day - 1) * DAY_MS));
  return parts.year < 1 || parts.year > 9999 ? undefined : parts;
}

function mondayOf(year: number): number {
  const fourth = utcDate(year, 0, 4);
  return fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * DAY_MS;
}

/** `Date.UTC` takes years below 100 for the 20th century, so the year is set by itself. */
function utcDate(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date;
}

function dateParts(date: Date): DateParts {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function clockOf(text: string): (ClockParts & Pick<TimestampParts, "offsetMinutes">) | undefined {
  const zoneAt = text.search(/[-+Z]/);
  const time = parseClock(zoneAt < 0 ? text : text.slice(0, zoneAt).replace(STRAY, "$1"));
  if (time === undefined || time.hour > 23 || time.minute > 59 || time.second > 59) return undefined;
  if (zoneAt < 0) return { ...time, offsetMinutes: undefined };
  if (text[zoneAt] === "Z") return zoneAt === text.length - 1 ? { ...time, offsetMinutes: 0 } : undefined;
  const zone = parseClock(text.slice(zoneAt + 1));
  if (zone === undefined || zone.second !== 0 || zone.micros !== 0) return undefined;
  const minutes = zone.hour * 60 + zone.minute;
  if (minutes >= 1440) return undefined;
  return { ...time, offsetMinutes: text[zoneAt] === "-" ? 0 - minutes : minutes };
}

function parseClock(text: string): ClockParts | undefined {
  const match = CLOCK.exec(text);
  if (match === null) return undefined;
  const part = (a: number, b: number) => Number(match[a] ?? match[b] ?? 0);
  const fraction = match[4] ?? match[7] ?? match[8] ?? "";
  return {
    hour: Number(match[1]),
    minute: part(2, 5),
    second: part(3, 6),
    micros: Number(fraction.slice(0, 6).padEnd(6, "0")),
  };
}
