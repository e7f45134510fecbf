import { YamlDate, YamlFloat, type YamlKey, YamlTimestamp, type YamlValue } from "../../src/formats/pyYaml";
import { keyIdentity } from "../../src/formats/pyYaml/values";
import { fc } from "../fixtures/fastCheck";

/** Pieces that YAML 1.1's rules for numbers, times and words are made of. */
const PIECES = ["0", "1", "7", "8", "09", "12", "59", "60", "999", "2024", "0001", "-", "+", ".", ":", "_", "e", "E"]
  .concat(["x", "b", "o", "0x", "0b", "0o", "1f", "inf", "Inf", "nan", "NaN", "NAN", "yes", "No", "ON", "off", "y"])
  .concat(["n", "~", "null", "Null", "true", "False", "=", "<<", "T", "t", "Z", " ", "-01", "-31", ":30", ":5", "é"])
  .concat(["#", ",", "'", '"', "\\", "%", "@", "`", "|", ">", "&", "*", "!", "?", "a", "[", "]", "{", "}", "\t"]);

/** Texts near the rules of plain scalars. */
export const ruleText = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...PIECES.slice(0, 18)) }, fc.constantFrom(...PIECES)), {
    maxLength: 7,
  })
  .map((pieces) => pieces.join(""));

const calendar = fc.record({
  year: fc.integer({ min: 1, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
});

const date = calendar.map(({ year, month, day }) => new YamlDate(year, month, day));

const timestamp = fc
  .record({
    day: calendar,
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    second: fc.integer({ min: 0, max: 59 }),
    micros: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999 })),
    offsetMinutes: fc.oneof(fc.constant(undefined), fc.constant(0), fc.integer({ min: -1439, max: 1439 })),
  })
  .map(({ day, ...clock }) => new YamlTimestamp({ ...day, ...clock }));

const words = fc.array(fc.oneof(ruleText, fc.string({ maxLength: 20 })), { maxLength: 25 }).map((all) => all.join(" "));

/** Texts that need every way of quoting, folding and escaping. */
export const anyText = fc.oneof(
  ruleText,
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  words,
  fc.array(words, { maxLength: 4 }).map((lines) => lines.join("\n")),
  fc.string({ unit: fc.constantFrom(" ", "\n", "'", '"', "a", "\u2028", "\x85", ":", "#", "é"), maxLength: 14 }),
  fc.integer({ min: 100, max: 140 }).map((length) => "k".repeat(length)),
);

const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -20, max: 20 }));
const bigInteger = fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }).chain((n) => fc.constantFrom(n, -n));
const float = fc
  .oneof(
    fc.double(),
    fc.integer().map((n) => n * 10 ** (n % 25)),
  )
  .map((n) => new YamlFloat(n));

const key: fc.Arbitrary<YamlKey> = fc.oneof(
  { weight: 5, arbitrary: anyText },
  integer,
  bigInteger,
  fc.boolean(),
  fc.constant(null),
  float,
  date,
  timestamp,
  fc.uint8Array({ maxLength: 5 }),
);

const scalar: fc.Arbitrary<YamlValue> = fc.oneof(
  { weight: 4, arbitrary: anyText },
  integer,
  bigInteger,
  fc.boolean(),
  fc.constant(null),
  float,
  date,
  timestamp,
  fc.uint8Array({ maxLength: 150 }),
);

/** Values of every kind, nested, some of whose collections occur twice. */
export const anyValue: fc.Arbitrary<YamlValue> = fc
  .tuple(
    fc.letrec<{ value: YamlValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        scalar,
        fc.array(tie("value"), { maxLength: 4 }),
        fc
          .uniqueArray(fc.tuple(key, tie("value")), { maxLength: 4, selector: ([k]) => keyIdentity(k) })
          .map((pairs): YamlValue => new Map(pairs)),
      ),
    })).value,
    fc.boolean(),
  )
  .map(([value, twice]) => (twice ? [value, value, new Map<YamlKey, YamlValue>([["again", value]])] : value));

/** Cuts, doubles and replaces small pieces of a text with characters that mean something in YAML. */
export function mutated(base: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc
    .constantFrom("\n", "\n  ", " ", "  ", ": ", ":", "- ", "-", "? ", "?", "[", "]", "{", "}", ",", "#")
    .chain((common) =>
      fc
        .constantFrom(
          common,
          " #",
          "&a ",
          "*a",
          "&a",
          "!",
          "!!str ",
          "!!int ",
          "! ",
          "'",
          '"',
          "|\n",
          ">-\n",
          "|2+\n",
          "%",
          "@",
        )
        .chain((rare) =>
          fc.constantFrom(
            common,
            common,
            rare,
            "---\n",
            "...\n",
            "\t",
            "~",
            "=",
            "<<: ",
            "\\",
            "\r",
            "\x85",
            "\u2028",
            "\ufeff",
            "é",
            "😀",
          ),
        ),
    );
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 4 }),
    piece,
    kind: fc.nat({ max: 2 }),
  });
  return fc.tuple(base, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, { at, cut, piece: insert, kind }) => {
      const place = Math.floor(at * now.length);
      return now.slice(0, place) + (kind === 0 ? "" : insert) + now.slice(place + (kind === 1 ? 0 : cut));
    }, text),
  );
}
