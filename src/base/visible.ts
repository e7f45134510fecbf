/** Controls, line and paragraph separators and everything that reorders text: none may reach a terminal or a message raw. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu;

/** `text` with every unseen character written as `\u{…}`, cut to `max` characters: fit for messages and terminals. */
export function visible(text: string, max = 200): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  const shown = cut.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
  return shown.length > max * 2 ? `${shown.slice(0, max * 2 - 1)}…` : shown;
}

/** Whether `text` holds a character that `visible` would have to write out. */
export function hasUnseen(text: string): boolean {
  return text.search(UNSEEN) >= 0;
}
