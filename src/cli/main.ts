import { homedir } from "node:os";
import { resolve } from "node:path";
import { version } from "../../package.json";
import { ModelbenchError } from "../base/errors";
import { resolveHome } from "../store/home";
import { HelpRequested, parseVerbArgs, usageError } from "./args";
import { EXIT, Output } from "./output";
import type { Verb } from "./verb";

/** Verbs that must start fast live in this bundle, and no module is set up before it is needed. */
const FAST: Readonly<Record<string, () => Promise<Verb>>> = {
  list: async () => (await import("./verbs/list")).list,
  get: async () => (await import("./verbs/get")).get,
};
/** These are loaded when they are called. */
const OTHERS =
  "inspect save import export delete restore trash check run edit copy clean pin unpin compare convert".split(" ");
const LATER = ["batch", "bench", "test", "mcp", "push", "pull"];

const verbsRemedy = `Verbs: ${[...Object.keys(FAST), ...OTHERS].join(", ")}.`;

/** Options of every verb whose value is the next word. */
const TAKES_VALUE = new Set(["--home", "--output", "-o", "--context"]);

const USAGE = `modelbench: look into, test and move the models of a BentoML model store.

  list [NAME]              versions in the store        inspect TAG|FILE      what is inside, by headers only
  get TAG                  one model.yaml               run TAG|FILE          one inference
  save NAME[:VER] FILE...  a file becomes a model       check [--repair]      damage in the store, mended
  import SRC...            archives into the store      export TAG [DEST]     a version as an archive
  delete TAG...            into the trash               restore TAG|ID        out of the trash
  trash list|empty         what can be restored         copy TAG NEW          a version under another tag
  edit TAG                 labels, metadata, signatures pin TAG... | unpin    what clean never takes
  clean --keep N           old versions into the trash  compare A B           what differs, values included
  convert SRC DST          MessagePack <-> safetensors

Every verb: --home DIR (else BENTOML_HOME, else ~/bentoml), -o json, -q, --help (with an example).
Exit: 0 done, 1 failed, 2 usage, 130 interrupted.`;

async function main(argv: readonly string[]): Promise<number> {
  const output = new Output(wantsJson(argv));
  const interrupt = new AbortController();
  process.on("SIGINT", () => interrupt.abort());
  process.stdout.on("error", (error: NodeJS.ErrnoException) => endWithoutOutput(error, output));
  process.stderr.on("error", () => process.exit(EXIT.failed));
  try {
    await runVerb(argv, output, interrupt.signal);
    output.finish();
    return EXIT.done;
  } catch (error) {
    if (error instanceof HelpRequested) {
      const { usage, notes = [], example } = error.syntax;
      output.lines(`Usage: modelbench ${usage}`, ...notes, "", `Example: modelbench ${example}`);
      return EXIT.done;
    }
    output.finish(interrupt.signal.aborted ? new ModelbenchError("cancelled", "Interrupted.") : error);
    if (interrupt.signal.aborted) return EXIT.interrupted;
    return error instanceof ModelbenchError && error.code === "usage" ? EXIT.usage : EXIT.failed;
  }
}

async function runVerb(argv: readonly string[], output: Output, signal: AbortSignal): Promise<void> {
  const { name, rest } = splitVerb(argv);
  if (name === "--version") return output.lines(`modelbench, version ${version}`);
  if (argv.length === 0 || ["--help", "-h", "help"].includes(name ?? "")) return output.lines(USAGE.split("\n"));
  if (name === undefined) throw new ModelbenchError("usage", "A verb is missing.", { remedy: verbsRemedy });
  const verb = await findVerb(name);
  const args = parseVerbArgs(name, verb.syntax, rest);
  output.quiet = args.isSet("quiet");
  const chosen = args.value("home");
  if (chosen === "") throw usageError("--home takes a folder; got nothing.", verb.syntax);
  const home = chosen === undefined ? resolveHome(process.env, homedir()) : resolve(chosen);
  await verb.run({ home, output, signal, bundles: __dirname }, args);
}

/** What stands in a verb's place. */
const ALONE = new Set(["--help", "-h", "--version"]);

/** Options of every verb may stand before the verb too. */
function splitVerb(argv: readonly string[]): { name: string | undefined; rest: string[] } {
  let at = 0;
  while (argv[at]?.startsWith("-") && !ALONE.has(argv[at] ?? "")) at += TAKES_VALUE.has(argv[at] ?? "") ? 2 : 1;
  return { name: argv[at], rest: [...argv.slice(0, at), ...argv.slice(at + 1)] };
}

async function findVerb(name: string): Promise<Verb> {
  const fast = FAST[name];
  if (fast !== undefined) return fast();
  if (OTHERS.includes(name)) {
    const { verbs } = await import("./verbs");
    const verb = verbs[name];
    if (verb !== undefined) return verb;
  }
  const said = LATER.includes(name)
    ? `${name} comes in a later version of Modelbench.`
    : `There is no verb ${JSON.stringify(name)}.`;
  throw new ModelbenchError("usage", said, { remedy: verbsRemedy });
}

/** Known before parsing, so that a usage error is JSON too. As in the parser the last one counts. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  const chosen = words.flatMap((word, i) => {
    if (word === "-o" || word === "--output") return [words[i + 1]];
    const [, joined] = /^(?:-o|--output=)(.+)$/s.exec(word) ?? [];
    return joined === undefined ? [] : [joined];
  });
  return chosen.at(-1) === "json";
}

/** A reader that has seen enough is no failure; a full disk is one, in words. */
function endWithoutOutput(error: NodeJS.ErrnoException, output: Output): never {
  if (error.code === "EPIPE") process.exit(EXIT.done);
  output.finish(
    new ModelbenchError("file.access", `The output cannot be written: ${error.message}.`, { cause: error }),
  );
  process.exit(EXIT.failed);
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
