import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { openFileReader } from "../formats/fileReader";
import { importLabel, type PickleFacts, type PickleImport } from "../formats/pickle/facts";
import { mayHoldPickle, pickleIn } from "../formats/pickleIn";
import { layoutOf } from "../store/layout";
import type { StoredModel } from "../store/model";
import { statOf } from "../store/modelFiles";
import { ModelStore } from "../store/modelStore";
import { provenOrigin } from "../store/origin";
import { Pace } from "../store/pace";
import type { ModelVerdict } from "../store/pickleVerdicts";
import { together, verdictIn } from "../store/pickleVerdictsJob";
import { codeDigest, type DigestedFile } from "./codeDigest";
import type { CodeFacts } from "./codeFacts";
import { adapterFor } from "./registry";
import { optionsText } from "./yamlAsData";

/** Imports that are told one by one: nobody reads more before they decide. */
const TOLD_IMPORTS = 30;

/** The work behind `codeFactsJob`. @throws ModelbenchError what the store throws, `file.access`, `cancelled` */
export async function runCodeFacts(
  { home, tag }: { readonly home: string; readonly tag: string },
  options: JobOptions = {},
): Promise<CodeFacts> {
  const model = new ModelStore(home).get(tag);
  const { info, path } = model;
  const { digest, files } = await codeDigest(model, home, options);
  const pickles = await picklesOf(model, files, options);
  const imports = importsOf(pickles);
  return {
    module: info.module,
    path,
    digest,
    files,
    options: optionsText(info.options),
    signatures: adapterFor(info.module)?.signatures(model, undefined) ?? {},
    origin: provenOrigin(layoutOf(home), model),
    verdict: pickles.reduce<ModelVerdict | null>((worst, facts) => together(worst, verdictIn(facts)), null),
    imports: imports.slice(0, TOLD_IMPORTS),
    moreImports: Math.max(0, imports.length - TOLD_IMPORTS),
  };
}

type FoundPickle = Pick<PickleFacts, "verdict" | "imports">;

/** Pickles by the name of the file and what it holds; the oldest are forgotten. */
const known = new Map<string, FoundPickle | undefined>();
const MAX_KNOWN = 1_000;

async function picklesOf(
  { path }: StoredModel,
  files: readonly DigestedFile[],
  { signal }: JobOptions,
): Promise<FoundPickle[]> {
  const pace = new Pace();
  const found: FoundPickle[] = [];
  for (const file of files.filter((each) => mayHoldPickle(each.path))) {
    throwIfAborted(signal);
    const key = `${file.sha256} ${file.path}`;
    if (!known.has(key)) {
      if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? "");
      known.set(key, lookInto(`${path}/${file.path}`));
    }
    const pickle = known.get(key);
    if (pickle) found.push(pickle);
    await pace.rest();
  }
  return found;
}

function lookInto(path: string): FoundPickle | undefined {
  if (!statOf(path)?.isFile()) return undefined;
  const reader = openFileReader(path);
  try {
    const facts = pickleIn(path, reader);
    return facts && { verdict: facts.verdict, imports: facts.imports };
  } catch (error) {
    if (error instanceof ModelbenchError) return undefined;
    throw error;
  } finally {
    reader.close();
  }
}

const WORST_FIRST: readonly PickleImport["class"][] = ["dangerous", "code", "unknown", "allowed"];

function importsOf(pickles: readonly FoundPickle[]): string[] {
  const all = pickles.flatMap(({ imports }) => imports);
  return [...new Set(WORST_FIRST.flatMap((kind) => all.filter((one) => one.class === kind).map(importLabel)))];
}
