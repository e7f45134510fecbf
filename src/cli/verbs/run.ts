import { join, resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { silentLog } from "../../base/log";
import { NOT_APART } from "../../runner/apartness";
import { methodOf } from "../../runner/inputCheck";
import { whyNotIsolated } from "../../runner/isolation";
import type { LoadedObject, LoadRequest, LoadResult, RunRequest, RunResult } from "../../runner/protocol";
import { openSession } from "../../runner/session";
import { tagOfFolder } from "../../store/layout";
import { assertUnchanged } from "../../store/verifyJob";
import type { ParsedArgs } from "../args";
import { ENGINE_NOTES, ENGINE_OPTIONS, readySubject } from "../engine";
import { checkOutFolder } from "../outFolder";
import { readInputs } from "../runInputs";
import { presentResult } from "../runOutput";
import { openSubject } from "../subject";
import { resolveTarget } from "../target";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** One inference, in a runner process as in the editor. */
export const run: Verb = {
  syntax: {
    usage: "run TAG|FILE [--method M] [--input NAME=V]... [--example] [--device D] [--no-batch] [--out DIR] [-o json]",
    notes: ENGINE_NOTES,
    example: "run iris_clf --example",
    operands: [0, 1],
    options: {
      tag: "value",
      file: "value",
      method: "value",
      input: "values",
      example: "switch",
      out: "value",
      output: JSON_OR_TEXT,
      ...ENGINE_OPTIONS,
    },
  },
  async run(context, args) {
    const target = resolveTarget(args.operands[0], args.value("tag"), args.value("file"));
    const subject = openSubject(context.home, target);
    const home = target.kind === "tag" ? context.home : undefined;
    if (home !== undefined && subject.kind === "model") {
      await assertUnchanged(home, tagOfFolder(subject.model.path), { signal: context.signal });
    }
    const out = outFolderIn(args);
    const { request, examples, warnings, form } = await readySubject(context, subject, home, args);
    for (const warning of warnings) context.output.warn(warning);
    if (args.isSet("custom-objects")) {
      presentObjects(context, await loadObjects(context, request));
      return;
    }
    const method = chosenMethod(request, args.value("method"));
    const example = args.isSet("example") ? examples[method] : undefined;
    const signature = methodOf(request.signatures, method);
    const inputs = await readInputs(signature, args.values("input"), { example, form }, context.signal);
    const { result, loaded } = await inferOnce(context, request, { method, inputs, batch: request.batching.enabled });
    for (const message of loaded.fallbacks ?? []) {
      context.output.warn({ code: message.startsWith(NOT_APART) ? "trust.notIsolated" : "device.fallback", message });
    }
    for (const { name, reason } of result.unfetchable) {
      context.output.warn({ code: "output.unfetchable", message: `${name}: ${reason}` });
    }
    const timing = { ...result.timing, loadMs: loaded.loadMs };
    presentResult(context.output, { ...result, timing }, out);
  },
};

async function loadObjects({ bundles, signal }: VerbContext, request: LoadRequest): Promise<readonly LoadedObject[]> {
  const session = openSession(request, { entry: join(bundles, "runner.cjs"), log: silentLog });
  try {
    return await session.customObjects(signal);
  } catch (error) {
    throw await withRemedy(error, request);
  } finally {
    await session.stop();
  }
}

/** What Python raises where a file or an address cannot be reached. */
const OUT_OF_REACH =
  /^(?:The model cannot be loaded\. )?(?:FileNotFound|Permission|Connection\w*|URL|Timeout|OS|gai)Error\b/i;

const SEE_WHERE = "To see where, make the same call in Python itself, started with -X faulthandler.";

/** What helps at a terminal: there is no log here to look into, and what keeps a model apart has an option. */
async function withRemedy(error: unknown, { python }: LoadRequest): Promise<unknown> {
  if (!(error instanceof ModelbenchError)) return error;
  const { code, message, path, offset } = error;
  const told = (remedy: string) => new ModelbenchError(code, message, { remedy, path, offset, cause: error });
  if (code === "worker.died") return told(python === undefined ? "Run it again." : SEE_WHERE);
  const isOutOfReach = code === "run.failed" && error.remedy === undefined && OUT_OF_REACH.test(message);
  if (!isOutOfReach || python?.isolate !== true || (await whyNotIsolated()) !== undefined) return error;
  return told("Modelbench did not save it, so it reaches neither your files nor the network; --no-isolation lets it.");
}

/** Where outputs are to be written; it is known to be possible before anything runs. @throws ModelbenchError `usage` */
function outFolderIn(args: ParsedArgs): string | undefined {
  const given = args.value("out");
  if (given === undefined) return undefined;
  if (given === "") throw new ModelbenchError("usage", "--out takes a folder; got nothing.");
  const folder = resolve(given);
  checkOutFolder(folder);
  return folder;
}

function presentObjects({ output }: VerbContext, objects: readonly LoadedObject[]): void {
  if (output.json) output.document(JSON.stringify(objects, null, 2));
  else if (objects.length === 0) output.hint("No custom objects were saved with it.");
  else output.lines(objects.map(({ name, type, repr }) => `${name}  ${type}  ${repr}`));
}

/** The method asked for, else the only one, else `__call__`. @throws ModelbenchError `method.notFound` */
function chosenMethod({ signatures }: LoadRequest, wanted: string | undefined): string {
  const [only, second] = Object.keys(signatures);
  const method = wanted ?? (only !== undefined && second === undefined ? only : "__call__");
  methodOf(signatures, method);
  return method;
}

async function inferOnce(
  { bundles, signal }: VerbContext,
  request: LoadRequest,
  call: RunRequest,
): Promise<{ result: RunResult; loaded: LoadResult }> {
  const session = openSession(request, { entry: join(bundles, "runner.cjs"), log: silentLog });
  try {
    const [issue] = await session.validate(call.method, call.inputs);
    if (issue !== undefined) throw new ModelbenchError(issue.error.code, issue.error.message, issue.error);
    const loaded = await session.load(signal);
    return { result: await session.run(call, signal), loaded };
  } catch (error) {
    throw await withRemedy(error, request);
  } finally {
    await session.stop();
  }
}
