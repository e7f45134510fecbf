import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { FrameworkAdapter, PythonFacts } from "../frameworks/adapter";
import { type CodeDigest, codeDigest } from "../frameworks/codeDigest";
import { exampleInputs } from "../frameworks/example";
import { findInterpreter, refuseLacking } from "../frameworks/interpreters";
import { adapterFor } from "../frameworks/registry";
import { optionsText } from "../frameworks/yamlAsData";
import { layoutOf } from "../store/layout";
import type { StoredModel } from "../store/model";
import { statOf } from "../store/modelFiles";
import { isForeign, provenOrigin } from "../store/origin";
import { runPickleVerdicts } from "../store/pickleVerdictsJob";
import { formatTag } from "../store/tag";
import { loadRequest, type Runnable, type Subject } from "./subject";
import type { VerbContext } from "./verb";
import { VERDICT_WORDS } from "./verdictWords";

/** How a model is to be run in Python. */
export interface PythonWishes {
  /** `--python`. */
  readonly python: string | undefined;
  /** `--allow-code`. */
  readonly isAllowed: boolean;
  /** Folders of the project from which its modules may be imported, absolute. */
  readonly paths: readonly string[];
  readonly device: string;
  /** Whether a flax module is bound to its state; left out = the framework's own choice. */
  readonly init: boolean | undefined;
  /** Whether a model that was not made here is kept apart. */
  readonly isolate: boolean;
}

/** A model that runs in the user's own Python. */
export interface PythonModel {
  readonly model: StoredModel;
  readonly adapter: FrameworkAdapter;
  readonly python: PythonFacts;
}

/** The model of a subject if it runs in Python. */
export function pythonModel(subject: Subject): PythonModel | undefined {
  if (subject.kind === "file") return undefined;
  const adapter = adapterFor(subject.model.info.module);
  return adapter?.python && { model: subject.model, adapter, python: adapter.python };
}

/**
 * What to load to run a model in Python, once its code may run there. What its pickles are said to be is a warning.
 * @param home the store that the model is of; left out for a folder anywhere
 * @throws ModelbenchError `trust.required` naming the digest, `python.missing`, `device.unavailable`, `usage`
 */
export async function readyPython(
  { bundles, output, signal }: VerbContext,
  { model, adapter, python }: PythonModel,
  home: string | undefined,
  wishes: PythonWishes,
): Promise<Runnable> {
  const label = formatTag(model.tag);
  refuseWishes(label, adapter, wishes);
  refuseNoFolders(wishes.paths);
  for (const warning of await verdictWarnings(label, model)) output.warn(warning);
  const code = await codeDigest(model, home, { signal });
  refuseCode(label, adapter, code, wishes.isAllowed);
  const interpreter = findInterpreter({
    asked: askedInterpreter(wishes.python),
    env: process.env,
    folder: process.cwd(),
    platform: process.platform,
  });
  refuseLacking(interpreter, label, python.needs);
  const signatures = adapter.signatures(model, undefined);
  return {
    request: {
      ...loadRequest(label, python.worker, model.path, wishes.device, signatures),
      python: {
        interpreter,
        worker: join(bundles, "python"),
        folder: model.path,
        files: code.files,
        digest: code.digest,
        isolate: wishes.isolate && (home === undefined || isForeign(provenOrigin(layoutOf(home), model))),
        options: optionsText(model.info.options),
        paths: wishes.paths,
        preload: [],
        ...(wishes.init === undefined ? {} : { init: wishes.init }),
      },
    },
    examples: exampleInputs(signatures, model.info.metadata),
    warnings: [],
  };
}

function refuseWishes(label: string, { module, python }: FrameworkAdapter, { device, init }: PythonWishes): void {
  if (init !== undefined && python?.worker !== "flax") {
    throw new ModelbenchError("usage", `--init and --no-init are for flax models; ${label} is one of ${module}.`);
  }
  if (python?.isCpuOnly && device !== "cpu") {
    throw new ModelbenchError(
      "device.unavailable",
      `${label}: models of ${module} run on the CPU only, not on ${device}.`,
    );
  }
}

/** Python passes over folders that are not there, and then says only what module it misses. */
function refuseNoFolders(paths: readonly string[]): void {
  const missing = paths.find((path) => !statOf(path)?.isDirectory());
  if (missing !== undefined) throw new ModelbenchError("usage", `--python-path takes a folder; ${missing} is none.`);
}

/** Said before the code runs or is refused, since it helps to decide. */
async function verdictWarnings(label: string, model: StoredModel) {
  const [found] = await runPickleVerdicts({ folders: [model.path] });
  const verdict = found?.verdict;
  if (verdict !== "dangerous" && verdict !== "code" && verdict !== "unresolvable") return [];
  return [{ code: `pickle.${verdict}`, message: `${label}: its pickle: ${VERDICT_WORDS[verdict]}.`, path: model.path }];
}

/** Consent is for one run, or for exactly this code; it is never remembered. */
function refuseCode(label: string, { module }: FrameworkAdapter, { digest }: CodeDigest, isAllowed: boolean): void {
  if (isAllowed) return;
  const allowed = (process.env[ALLOW_VARIABLE] ?? "").split(",").map((text) => text.trim().toLowerCase());
  if (allowed.includes(digest)) return;
  throw new ModelbenchError(
    "trust.required",
    `${label}: a model of ${module} runs code of its own in your Python, and nobody has allowed the code of digest ${digest}.`,
    { remedy: `Allow it for one run with --allow-code, or this code wherever it is with ${ALLOW_VARIABLE}=${digest}.` },
  );
}

const ALLOW_VARIABLE = "MODELBENCH_ALLOW_CODE";

/** The interpreter that `--python` or the environment names, with what named it. */
export function askedInterpreter(option: string | undefined): { by: string; path: string } | undefined {
  if (option !== undefined) return { by: "--python", path: option };
  const path = process.env["MODELBENCH_PYTHON"];
  return path ? { by: "MODELBENCH_PYTHON", path } : undefined;
}
