const PREFIX = "tag:yaml.org,2002:";

/** The tags that PyYAML's safe loader knows, by their short names. */
export const TAG = {
  bool: `${PREFIX}bool`,
  float: `${PREFIX}float`,
  int: `${PREFIX}int`,
  merge: `${PREFIX}merge`,
  null: `${PREFIX}null`,
  timestamp: `${PREFIX}timestamp`,
  value: `${PREFIX}value`,
  binary: `${PREFIX}binary`,
  omap: `${PREFIX}omap`,
  pairs: `${PREFIX}pairs`,
  set: `${PREFIX}set`,
  str: `${PREFIX}str`,
  seq: `${PREFIX}seq`,
  map: `${PREFIX}map`,
} as const;

// Every pattern ends in `\n?$` because Python's `$` also matches before a final line break.
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\n?$/;
const FLOAT = new RegExp(
  "^(?:[-+]?[0-9][0-9_]*\\.[0-9_]*(?:[eE][-+][0-9]+)?|\\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?" +
    "|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\\.[0-9_]*|[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN))\\n?$",
);
const INT = new RegExp(
  "^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+" +
    "|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\\n?$",
);
const NULL = /^(?:~|null|Null|NULL|)\n?$/;
const TIMESTAMP = new RegExp(
  "^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \\t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}" +
    "(?:\\.[0-9]*)?(?:[ \\t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)\\n?$",
);

const SIGN_OR_DIGIT = /^[-+0-9.]/;

/**
 * The tag that PyYAML's implicit resolvers give a plain scalar. The same answer decides, on writing, whether
 * a string must be quoted.
 * @see PyYAML 6.0.3 yaml/resolver.py
 */
export function resolvePlain(text: string): string {
  if (SIGN_OR_DIGIT.test(text)) {
    if (FLOAT.test(text)) return TAG.float;
    if (text[0] !== "." && INT.test(text)) return TAG.int;
    return TIMESTAMP.test(text) ? TAG.timestamp : TAG.str;
  }
  // A lone line break has no resolver of its own in PyYAML, because tables are picked by the first character.
  if (text === "" || (text[0] !== "\n" && NULL.test(text))) return TAG.null;
  if (BOOL.test(text)) return TAG.bool;
  if (text === "<<" || text === "<<\n") return TAG.merge;
  if (text === "=" || text === "=\n") return TAG.value;
  return TAG.str;
}

/** Whether a plain scalar is a string, so that it needs no quotes to stay one. */
export function resolvesToText(text: string): boolean {
  return resolvePlain(text) === TAG.str;
}
