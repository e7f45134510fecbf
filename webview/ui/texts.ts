import type { StringKey } from "../protocol/strings";

/** Answers with a text of the page, `{0}`, `{1}`, … replaced. */
export type Translate = (key: StringKey, ...args: readonly (string | number)[]) => string;

/** Texts that have another one, `<key>.one`, for a single thing. */
type CountedKey = { [Key in StringKey]: `${Key}.one` extends StringKey ? Key : never }[StringKey];

/** A text about so many things, the count as the language groups its digits; one thing has a text of its own. */
export function countWords(t: Translate, locale: string, key: CountedKey, count: number): string {
  return count === 1 ? t(`${key}.one`) : t(key, count.toLocaleString(locale));
}

/** A translator over the table that the host sent; a missing text shows its key, so that it is noticed. */
export function translator(strings: Readonly<Record<string, string>>): Translate {
  return (key, ...args) =>
    (strings[key] ?? key).replace(/\{(\d+)\}/g, (whole, index) => String(args[Number(index)] ?? whole));
}
