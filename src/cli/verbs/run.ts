import { join, resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { silentLog } from "../../base/log";
import { methodOf } from "../../runner/inputCheck";
import type { LoadRequest, RunRequest, RunResult } from "../../runner/protocol";
import { openSession } from "../../runner/session";
import { tagOfFolder } from "../../store/layout";
import { assertUnchanged } from "../../store/verifyJob";
import { type ParsedArgs, usageError } from "../args";
import { dtypeNamed, FORMS, type InputForm } from "../pythonInputs";
import { type PythonFacts, pythonModel, readyPython } from "../pythonModel";
import { readInputs } from "../runInputs";
import { presentResult } from "../runOutput";
import { openSubject, type Runnable, runnable, type Subject } from "../subject";
import { resolveTarget, type Target } from "../target";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** One inference, in a runner process as in the editor. */
export const run: Verb = {
  syntax: {
    usage: "run TAG|FILE [--method M] [--input NAME=V]... [--example] [--device D] [--no-batch] [--out DIR] [-o json]",
    notes: [
      "Models that need Python also take:",
      "  --allow-code             runs the model's code; MODELBENCH_ALLOW_CODE=DIGEST,... allows only that of a digest",
      "  --python PATH            interpreter, else MODELBENCH_PYTHON, VIRTUAL_ENV, .venv or python3",
      "  --python-path DIR...     folders with modules of your project",
      "  --as ndarray|list|dataframe, --dtype T   what JSON becomes; NAME is a parameter or a position",
      "  --no-init                flax: the state as it was saved, on the device",
    ],
    example: "run iris_clf --example",
    operands: [0, 1],
    options: {
      tag: "value",
      file: "value",
      method: "value",
      input: "values",
      example: "switch",
      device: "value",
      "no-batch": "switch",
      out: "value",
      output: JSON_OR_TEXT,
      python: "value",
      "python-path": "values",
      as: { oneOf: FORMS },
      dtype: "value",
      "allow-code": "switch",
      init: "switch",
      "no-init": "switch",
    },
  },
  async run(context, args) {
    const target = resolveTarget(args.operands[0], args.value("tag"), args.value("file"));
    const subject = openSubject(context.home, target);
    if (target.kind === "tag" && subject.kind === "model") {
      await assertUnchanged(context.home, tagOfFolder(subject.model.path), { signal: context.signal });
    }
    const { request, examples, warnings, python } = await readyToRun(context, target, subject, args);
    for (const warning of warnings) context.output.warn(warning);
    const method = chosenMethod(request, args.value("method"));
    const example = args.isSet("example") ? examples[method] : undefined;
    const signature = methodOf(request.signatures, method);
    const form = python && inputForm(python, args);
    const inputs = await readInputs(signature, args.values("input"), { example, form }, context.signal);
    const { result, loadMs } = await inferOnce(context, request, { method, inputs, batch: request.batching.enabled });
    for (const { name, reason } of result.unfetchable) {
      context.output.warn({ code: "output.unfetchable", message: `${name}: ${reason}` });
    }
    presentResult(context.output, { ...result, timing: { ...result.timing, loadMs } }, args.value("out"));
  },
};

/** What is to be loaded, by the engine of the model. @throws ModelbenchError `usage` for options of the other engine */
async function readyToRun(
  context: VerbContext,
  target: Target,
  subject: Subject,
  args: ParsedArgs,
): Promise<Runnable & { readonly python?: PythonFacts }> {
  const found = pythonModel(subject);
  const enabled = !args.isSet("no-batch");
  if (found === undefined) {
    refuseForOnnx(args);
    const ready = runnable(subject, "cpu");
    return { ...ready, request: { ...ready.request, batching: { ...ready.request.batching, enabled } } };
  }
  const ready = await readyPython(context, found, target.kind === "tag" ? context.home : undefined, {
    python: filled(args, "python"),
    isAllowed: args.isSet("allow-code"),
    paths: args.values("python-path").map((folder) => resolve(folder)),
    device: deviceIn(args),
    init: initIn(args),
  });
  const request = { ...ready.request, batching: { ...ready.request.batching, enabled } };
  return { ...ready, request, python: found.python };
}

/** Options that say nothing to a model that needs no Python. */
const PYTHON_ONLY = ["python", "python-path", "as", "dtype", "allow-code", "init", "no-init"];

function refuseForOnnx(args: ParsedArgs): void {
  const given = PYTHON_ONLY.find((name) => {
    return args.isSet(name) || args.value(name) !== undefined || args.values(name).length > 0;
  });
  if (given !== undefined) throw usageError(`--${given} is for models that need Python.`, run.syntax);
  const device = args.value("device") ?? "cpu";
  if (device === "cpu") return;
  const isLater = device === "cuda" || device === "auto";
  const said = isLater
    ? `run --device ${device} comes in a later version of Modelbench.`
    : `--device takes cpu; got ${JSON.stringify(device)}.`;
  throw usageError(said, run.syntax);
}

/** What jax and torch call a device: `gpu`, `cuda:1`; whether it is there only they know. */
function deviceIn(args: ParsedArgs): string {
  const device = args.value("device") ?? "cpu";
  if (/^[a-z]+(:\d+)?$/.test(device)) return device;
  throw usageError(`--device takes a device such as cpu, gpu or cuda:0; got ${JSON.stringify(device)}.`, run.syntax);
}

function initIn(args: ParsedArgs): boolean | undefined {
  const [yes, no] = [args.isSet("init"), args.isSet("no-init")];
  if (yes && no) throw usageError("Give --init or --no-init, not both.", run.syntax);
  return yes || no ? yes : undefined;
}

function inputForm({ dtype: numbers }: PythonFacts, args: ParsedArgs): InputForm {
  const dtype = filled(args, "dtype");
  return {
    as: FORMS.find((form) => form === args.value("as")),
    dtype: dtype === undefined ? undefined : dtypeNamed(dtype),
    numbers,
  };
}

/** An option's value, which must not be empty. @throws ModelbenchError `usage` */
function filled(args: ParsedArgs, name: string): string | undefined {
  const value = args.value(name);
  if (value === "") throw usageError(`--${name} takes a value; got nothing.`, run.syntax);
  return value;
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
): Promise<{ result: RunResult; loadMs: number }> {
  const session = openSession(request, { entry: join(bundles, "runner.cjs"), log: silentLog });
  try {
    const [issue] = await session.validate(call.method, call.inputs);
    if (issue !== undefined) throw new ModelbenchError(issue.error.code, issue.error.message, issue.error);
    const { loadMs } = await session.load(signal);
    return { result: await session.run(call, signal), loadMs };
  } finally {
    await session.stop();
  }
}
