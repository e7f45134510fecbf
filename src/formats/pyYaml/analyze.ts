/** What a text allows when it is written as a scalar. */
export interface ScalarAnalysis {
  readonly multiline: boolean;
  /** May stand without quotes in block style, as far as its characters go. */
  readonly plain: boolean;
  readonly singleQuoted: boolean;
  /** May stand as a literal block. */
  readonly block: boolean;
}

const LEADING_INDICATORS = "#,[]{}&*!|>'\"%@`";
const BLANKS = "\0 \t\r\n\x85\u2028\u2029";
const BREAKS = "\n\x85\u2028\u2029";

/**
 * Which styles PyYAML would allow for a text, given as code points.
 * @see PyYAML 6.0.3 yaml/emitter.py, analyze_scalar
 */
export function analyzeScalar(chars: readonly string[]): ScalarAnalysis {
  if (chars.length === 0) return { multiline: false, plain: true, singleQuoted: true, block: false };
  const text = chars.join("");
  const space = whitespaceOf(text);
  const special = /[^\n\x20-\x7e]/.test(text);
  const multiline = /[\n\x85\u2028\u2029]/.test(text);
  const quotable = !space.breakSpace && !space.spaceBreak && !special;
  return {
    multiline,
    plain: quotable && !multiline && !space.edge && !hasIndicator(chars, text),
    singleQuoted: quotable,
    block: !text.endsWith(" ") && !space.spaceBreak && !special,
  };
}

function whitespaceOf(text: string): { edge: boolean; breakSpace: boolean; spaceBreak: boolean } {
  return {
    edge: /^[ \n\x85\u2028\u2029]|[ \n\x85\u2028\u2029]$/.test(text),
    breakSpace: /[\n\x85\u2028\u2029] /.test(text),
    spaceBreak: / [\n\x85\u2028\u2029]/.test(text),
  };
}

/** Whether a text holds characters that would mean something in block style. */
function hasIndicator(chars: readonly string[], text: string): boolean {
  if (text.startsWith("---") || text.startsWith("...")) return true;
  return chars.some((char, index) => {
    const next = chars[index + 1];
    const blankAfter = next === undefined || BLANKS.includes(next);
    if (index === 0) return LEADING_INDICATORS.includes(char) || ("?:-".includes(char) && blankAfter);
    if (char === ":") return blankAfter;
    return char === "#" && BLANKS.includes(chars[index - 1] ?? "");
  });
}

/** Whether a character is one of the line breaks that the emitter folds at. */
export function isEmittedBreak(char: string | undefined): boolean {
  return char !== undefined && BREAKS.includes(char);
}
