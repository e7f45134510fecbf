import type { Outline } from "./compose";
import { constructValue } from "./construct";
import { isBreakOrEnd } from "./cursor";
import { dumpEntry } from "./dump";
import { unshared } from "./exactValue";
import { flowText } from "./flow";
import type { Token } from "./scanner";

/** Replaces the characters from `from` up to `to`; line breaks in `text` become those of the document. */
export interface Patch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The offset after a token's last character; `undefined` for marks that stand for no character. */
export function tokenEnd(token: Token | undefined): number | undefined {
  if (token === undefined) return undefined;
  if ("end" in token) return token.end;
  return token.kind.length === 1 && token.kind !== "?" ? token.start + 1 : undefined;
}

/** The end of the last character among the tokens from `first` up to `last`. */
export function endAmong(tokens: readonly Token[], first: number, last: number): number | undefined {
  for (let index = last - 1; index >= first; index -= 1) {
    const end = tokenEnd(tokens[index]);
    if (end !== undefined) return end;
  }
  return undefined;
}

/** The offset at which a line begins. */
export function lineStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && !isBreakOrEnd(text.charCodeAt(start - 1))) start -= 1;
  return start === 0 && text.charCodeAt(0) === 0xfeff ? Math.min(1, at) : start;
}

/** The offset of the line break that ends a line, or of the text's end. */
export function lineEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isBreakOrEnd(text.charCodeAt(end))) end += 1;
  return end;
}

/** The offset after a line break that stands at `at`. */
export function afterBreak(text: string, at: number): number {
  return text.startsWith("\r\n", at) ? at + 2 : Math.min(at + 1, text.length);
}

/** Whether an offset follows a line break. */
export function followsBreak(text: string, at: number): boolean {
  return at > 0 && isBreakOrEnd(text.charCodeAt(at - 1));
}

/**
 * The text with all patches applied. Where a patch takes an anchor away that is still used elsewhere, the first alias
 * that stays becomes the value that it named, and carries the anchor on when there are more.
 */
export function applyPatches(text: string, outline: Outline, patches: readonly Patch[]): string {
  const all = [...patches, ...carriedAnchors(text, outline, patches)].sort((a, b) => a.from - b.from || a.to - b.to);
  const lineBreak = /\r\n|[\n\r]/.exec(text)?.[0] ?? "\n";
  let result = "";
  let at = 0;
  for (const patch of all) {
    result += text.slice(at, patch.from) + patch.text.replaceAll("\n", lineBreak);
    at = patch.to;
  }
  return result + text.slice(at);
}

function carriedAnchors(text: string, outline: Outline, patches: readonly Patch[]): Patch[] {
  const { tokens, anchors } = outline;
  const isGone = ({ start }: Token) => patches.some(({ from, to }) => from <= start && start < to);
  return tokens.flatMap((token, index) => {
    const node = token.kind === "anchor" && isGone(token) ? anchors.get(token.name) : undefined;
    if (token.kind !== "anchor" || node === undefined) return [];
    const left = tokens.filter((other) => other.kind === "alias" && other.name === token.name && !isGone(other));
    const first = left[0];
    const to = tokenEnd(first);
    if (first === undefined || to === undefined) return [];
    const value = unshared(constructValue(text, node));
    const anchor = left.length > 1 ? ` &${token.name}` : "";
    const style = tokens[index + 1]?.kind;
    const inBlock = style === "[" || style === "{" ? undefined : blockColumn(text, outline, tokens.indexOf(first));
    if (inBlock === undefined) return [{ from: first.start, to, text: `${anchor} ${flowText(value)}`.trimStart() }];
    const { colonEnd, column } = inBlock;
    return [{ from: colonEnd, to, text: anchor + dumpEntry("key", value, column).afterKey }];
  });
}

/** Where an alias is the value of an entry in block style: the end of its `:`, and the column of the key. */
function blockColumn(text: string, { tokens, mappings }: Outline, alias: number) {
  for (const { first, pairs } of mappings.values()) {
    if (tokens[first]?.kind === "{") continue;
    const pair = pairs.find(({ value, end }) => value + 1 === alias && end === alias + 1);
    const start = pair && tokens[pair.key]?.start;
    const colonEnd = pair && tokenEnd(tokens[pair.value]);
    if (start !== undefined && colonEnd !== undefined) return { colonEnd, column: start - lineStart(text, start) };
  }
  return undefined;
}
