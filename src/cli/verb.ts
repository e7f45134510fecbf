import type { OptionSyntax, ParsedArgs, VerbSyntax } from "./args";
import type { Output } from "./output";

/** What a verb may use. */
export interface VerbContext {
  /** The store's home folder, absolute. */
  readonly home: string;
  readonly output: Output;
  /** Fires on Ctrl+C. */
  readonly signal: AbortSignal;
  /** Folder of the bundles: `runner.cjs` lies beside `cli.cjs`. */
  readonly bundles: string;
}

/** One word of the command line. */
export interface Verb {
  readonly syntax: VerbSyntax;
  /** @throws ModelbenchError what the user is told */
  run(context: VerbContext, args: ParsedArgs): Promise<void>;
}

/** `-o json` for verbs whose other output is for people. */
export const JSON_OR_TEXT: OptionSyntax = { oneOf: ["json", "text"] };
