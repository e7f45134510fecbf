/** Python refuses to convert longer decimal texts to integers and back. */
export const MAX_DECIMAL_DIGITS = 4300;

const SPACE = /^[\s\x1c-\x1f\x85]+|[\s\x1c-\x1f\x85]+$/g;
const DIGITS: ReadonlyMap<number, RegExp> = new Map([
  [2, /^(?:0[bB]_?)?([01](?:_?[01])*)$/],
  [8, /^(?:0[oO]_?)?([0-7](?:_?[0-7])*)$/],
  [10, /^([0-9](?:_?[0-9])*)$/],
  [16, /^(?:0[xX]_?)?([0-9a-fA-F](?:_?[0-9a-fA-F])*)$/],
]);
const LITERAL: ReadonlyMap<number, string> = new Map([
  [2, "0b"],
  [8, "0o"],
  [10, ""],
  [16, "0x"],
]);
const FLOAT =
  /^[-+]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const SPECIAL = /^([-+]?)(?:(inf(?:inity)?)|nan)$/i;

/** What Python's `int(text, base)` answers for ASCII digits, or `undefined` where it raises ValueError. */
export function pythonInt(text: string, base: 2 | 8 | 10 | 16): bigint | undefined {
  const stripped = text.replace(SPACE, "");
  const negative = stripped.startsWith("-");
  const unsigned = /^[-+]/.test(stripped) ? stripped.slice(1) : stripped;
  const digits = DIGITS.get(base)?.exec(unsigned)?.[1]?.replaceAll("_", "");
  if (digits === undefined || (base === 10 && digits.length > MAX_DECIMAL_DIGITS)) return undefined;
  const value = BigInt((LITERAL.get(base) ?? "") + digits);
  return negative ? -value : value;
}

/** What Python's `float(text)` answers for ASCII digits, or `undefined` where it raises ValueError. */
export function pythonFloat(text: string): number | undefined {
  const stripped = text.replace(SPACE, "");
  if (FLOAT.test(stripped)) return Number(stripped.replaceAll("_", ""));
  const special = SPECIAL.exec(stripped);
  if (special === null) return undefined;
  if (special[2] === undefined) return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Python's `repr` of a float: the shortest digits that read back, with `.0` or an exponent. */
export function pythonFloatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", power = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const shown = Math.abs(exponent).toString().padStart(2, "0");
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${shown}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}
