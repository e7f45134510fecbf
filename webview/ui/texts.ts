import type { StringKey } from "../protocol/strings";

/** Answers with a text of the page, `{0}`, `{1}`, … replaced. */
export type Translate = (key: StringKey, ...args: readonly (string | number)[]) => string;

/** A translator over the table that the host sent; a missing text shows its key, so that it is noticed. */
export function translator(strings: Readonly<Record<string, string>>): Translate {
  return (key, ...args) =>
    (strings[key] ?? key).replace(/\{(\d+)\}/g, (whole, index) => String(args[Number(index)] ?? whole));
}
