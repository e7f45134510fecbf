import { type ParseArgsConfig, parseArgs } from "node:util";
import { ModelbenchError } from "../base/errors";

/** How one verb is called: what the usage line says and which options it takes. */
export interface VerbSyntax {
  /** The words after `modelbench`, for instance `export TAG [DEST] [--format F]`. */
  readonly usage: string;
  /** A command line that does something useful, without `modelbench` in front. */
  readonly example: string;
  /** Lines that `--help` shows below the usage line. */
  readonly notes?: readonly string[];
  /** Fewest and most operands. */
  readonly operands: readonly [number, number];
  readonly options: Readonly<Record<string, OptionSyntax>>;
}

/** One option: a switch, a value, or a value that may be given several times. */
export type OptionSyntax = "switch" | "value" | "values" | { readonly oneOf: readonly string[] };

/** A command line after parsing. */
export interface ParsedArgs {
  readonly operands: readonly string[];
  /** The option's last value. */
  value(name: string): string | undefined;
  /** All values of a repeatable option, in order. */
  values(name: string): readonly string[];
  isSet(name: string): boolean;
}

/** Options that every verb takes. The last four are there for scripts that were written for `bentoml`: this program
 *  tracks nobody, has no debug output and no cloud. */
const COMMON: Record<string, OptionSyntax> = {
  home: "value",
  help: "switch",
  quiet: "switch",
  "do-not-track": "switch",
  verbose: "switch",
  debug: "switch",
  context: "value",
};
const SHORT: Record<string, string> = { output: "o", yes: "y", quiet: "q", help: "h" };

/** Another spelling of an option, as the real command line has it. */
const SPELLINGS: Record<string, string> = { yes: "assume-yes" };

/**
 * Reads the words after the verb. Long options take `--k v` or `--k=v` anywhere, `--` ends them.
 * @throws ModelbenchError `usage`
 */
export function parseVerbArgs(verb: string, syntax: VerbSyntax, argv: readonly string[]): ParsedArgs {
  const all = { ...COMMON, ...syntax.options };
  const { values, positionals } = parse(verb, syntax, all, argv);
  if (values["help"] === true) throw new HelpRequested(syntax);
  const [fewest, most] = syntax.operands;
  if (positionals.length < fewest || positionals.length > most) {
    throw usageError(
      `${verb}: ${positionals.length < fewest ? "an operand is missing" : "too many operands"}.`,
      syntax,
    );
  }
  for (const [name, option] of Object.entries(all)) {
    const value = values[name];
    if (typeof option === "object" && typeof value === "string" && !option.oneOf.includes(value)) {
      throw usageError(`--${name} takes ${option.oneOf.join(", ")}; got ${JSON.stringify(value)}.`, syntax);
    }
  }
  return {
    operands: positionals,
    value: (name) => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
    values: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.filter((v) => typeof v === "string") : [];
    },
    isSet: (name) => values[name] === true || values[SPELLINGS[name] ?? name] === true,
  };
}

/** Thrown for `--help`, so that the happy path has no branch for it. */
export class HelpRequested extends Error {
  readonly syntax: Pick<VerbSyntax, "usage" | "example" | "notes">;

  constructor(syntax: HelpRequested["syntax"]) {
    super("help");
    this.syntax = syntax;
  }
}

/** A `usage` failure whose remedy is the verb's usage line. */
export function usageError(message: string, syntax: Pick<VerbSyntax, "usage">): ModelbenchError {
  return new ModelbenchError("usage", message, { remedy: `Usage: modelbench ${syntax.usage}` });
}

/** Splits `KEY=VALUE` at the first `=`. @throws ModelbenchError `usage` */
export function splitAssignment(option: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new ModelbenchError("usage", `--${option} takes KEY=VALUE; got ${JSON.stringify(text)}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function parse(verb: string, syntax: VerbSyntax, all: Record<string, OptionSyntax>, argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, option] of Object.entries(all)) {
    const short = SHORT[name];
    options[name] = {
      type: option === "switch" ? "boolean" : "string",
      multiple: option === "values",
      ...(short === undefined ? {} : { short }),
    };
    const spelling = SPELLINGS[name];
    if (spelling !== undefined) options[spelling] = { type: "boolean" };
  }
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw usageError(`${verb}: ${said.replace(/\.$/, "")}.`, syntax);
  }
}
