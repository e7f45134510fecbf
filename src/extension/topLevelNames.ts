/** An assignment at the top level of a Python file; nothing in a text, a block or a call is one. */
const ASSIGNMENT = /^([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)/;

/** Names of the language's own that nobody saves. */
const DUNDER = /^__\w+__$/;

/**
 * The names that a Python file assigns at its top level, the one nearest above a line first, then those below it.
 * Found by looking at the beginnings of lines: a text of several lines may show one that is none.
 * @param line counted from 0
 */
export function topLevelNames(text: string, line: number): string[] {
  const above: string[] = [];
  const below: string[] = [];
  for (const [at, content] of text.split(/\r?\n/).entries()) {
    const name = ASSIGNMENT.exec(content)?.[1];
    if (name === undefined || DUNDER.test(name)) continue;
    if (at <= line) above.unshift(name);
    else below.push(name);
  }
  return [...new Set([...above, ...below])];
}

/** Top-level packages that a Python file imports, by the beginnings of its lines. */
export function importedPackages(text: string): ReadonlySet<string> {
  const found = text.matchAll(/^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)/gm);
  return new Set([...found].flatMap(([, name]) => (name === undefined ? [] : [name])));
}
