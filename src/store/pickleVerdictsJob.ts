import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { openFileReader } from "../formats/fileReader";
import { type PickleFacts, worseVerdict } from "../formats/pickle/facts";
import { mayHoldPickle, pickleIn } from "../formats/pickleIn";
import { modelFilesIn, statOf } from "./modelFiles";
import { Pace } from "./pace";
import type { ModelVerdict } from "./pickleVerdicts";

/** Verdicts by file, each with the state of the file that it is about; the oldest are forgotten. */
const known = new Map<string, { readonly state: string; readonly found: ModelVerdict | null }>();
const MAX_KNOWN = 20_000;

/** The work behind `pickleVerdictsJob`. @throws ModelbenchError `cancelled` */
export async function runPickleVerdicts(
  { folders }: { readonly folders: readonly string[] },
  { signal }: JobOptions = {},
): Promise<readonly (ModelVerdict | null)[]> {
  const pace = new Pace();
  const verdicts: (ModelVerdict | null)[] = [];
  for (const folder of folders) {
    throwIfAborted(signal);
    verdicts.push(verdictOf(folder));
    await pace.rest();
  }
  return verdicts;
}

function verdictOf(folder: string): ModelVerdict | null {
  try {
    return modelFilesIn(folder)
      .filter(({ path }) => mayHoldPickle(path))
      .map(({ path }) => verdictOfFile(`${folder}/${path}`))
      .reduce(together, null);
  } catch (error) {
    if (error instanceof ModelbenchError) return null;
    throw error;
  }
}

function verdictOfFile(path: string): ModelVerdict | null {
  const stat = statOf(path);
  if (!stat) return null;
  const state = `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  const before = known.get(path);
  if (before?.state === state) return before.found;
  const found = lookInto(path);
  if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? "");
  known.set(path, { state, found });
  return found;
}

function lookInto(path: string): ModelVerdict | null {
  const reader = openFileReader(path);
  try {
    const facts = pickleIn(path, reader);
    return facts ? verdictIn(facts) : null;
  } finally {
    reader.close();
  }
}

/** The verdict of one file in short. */
export function verdictIn({ verdict, imports }: Pick<PickleFacts, "verdict" | "imports">): ModelVerdict {
  return { verdict, unknownImports: imports.filter((one) => one.class === "unknown").length };
}

/** The worse verdict, and all unknown imports. */
export function together(a: ModelVerdict | null, b: ModelVerdict | null): ModelVerdict | null {
  if (!a || !b) return a ?? b;
  return { verdict: worseVerdict(a.verdict, b.verdict), unknownImports: a.unknownImports + b.unknownImports };
}
