import { resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { DType } from "../formats/tensor";
import { MAX_LATENCY_WORD, maxLatencyMs } from "../frameworks/loadSettings";
import { isDevice, ONNX_DEVICES, PYTHON_PREFIX } from "../frameworks/onnx/providers";
import { onnxSettings, SETTING_WORDS } from "../frameworks/onnx/sessionOptions";
import type { InputForm, LoadRequest } from "../runner/protocol";
import { FORMS, jsonDType } from "../runner/pythonInputs";
import type { OptionSyntax, ParsedArgs } from "./args";
import { onnxInPython } from "./onnxInPython";
import { type PythonModel, pythonModel, readyPython } from "./pythonModel";
import { type Runnable, runnable, type Subject } from "./subject";
import type { VerbContext } from "./verb";

/** Options that say something to models that need Python only. */
const PYTHON_OPTIONS: Readonly<Record<string, OptionSyntax>> = {
  "allow-code": "switch",
  python: "value",
  "python-path": "values",
  as: { oneOf: FORMS },
  dtype: "value",
  init: "switch",
  "no-init": "switch",
  "no-isolation": "switch",
  "custom-objects": "switch",
};

/** Options that say something to ONNX models only. */
const ONNX_OPTIONS: Readonly<Record<string, OptionSyntax>> = Object.fromEntries(
  SETTING_WORDS.map((word) => [word, "value"]),
);

/** How a model is loaded, whatever runs it. */
export const ENGINE_OPTIONS: Readonly<Record<string, OptionSyntax>> = {
  device: "value",
  "no-batch": "switch",
  [MAX_LATENCY_WORD]: "value",
  ...PYTHON_OPTIONS,
  ...ONNX_OPTIONS,
};

/** What `--help` says of them. */
export const ENGINE_NOTES: readonly string[] = [
  "Every model also takes:",
  `  --${MAX_LATENCY_WORD} N       a request that would wait longer for its batch is refused`,
  "Models that need Python also take:",
  "  --allow-code             runs the model's code; MODELBENCH_ALLOW_CODE=DIGEST,... allows only that of a digest",
  "  --python PATH            interpreter, else MODELBENCH_PYTHON, VIRTUAL_ENV, .venv or python3",
  "  --python-path DIR        folder with modules of your project; may be given several times",
  "  --as ndarray|list|dataframe, --dtype T   what JSON becomes; NAME is a parameter or a position",
  "  --device cpu|gpu|cuda:0|...              as jax and torch call it",
  "  --no-init                flax: the state as it was saved, on the device",
  "  --custom-objects         loads what was saved with the model, and runs no method",
  "  --no-isolation           lets a model that was not saved here reach your files and the network",
  "ONNX models also take:",
  `  --device ${[...ONNX_DEVICES].reverse().join("|")}|auto; ${PYTHON_PREFIX}cpu, ${PYTHON_PREFIX}cuda:1, ... = the`,
  "                           onnxruntime of your Python, of --python PATH",
  `  ${SETTING_WORDS.map((word) => `--${word} V`).join(", ")}`,
];

/** A model that can be loaded; for Python also what JSON inputs become. */
export interface ReadySubject extends Runnable {
  readonly form?: InputForm;
}

/**
 * What is to be loaded, by the engine that the model needs.
 * @param home the store that the model is of; left out for a folder or file anywhere
 * @throws ModelbenchError `usage` for options of the other engine, or what keeps the model from being run
 */
export async function readySubject(
  context: VerbContext,
  subject: Subject,
  home: string | undefined,
  args: ParsedArgs,
): Promise<ReadySubject> {
  const found = pythonModel(subject);
  const maxMs = maxLatencyMs(args.value(MAX_LATENCY_WORD));
  const ready =
    found === undefined ? readyOnnx(context, subject, args) : await readyInPython(context, found, home, args);
  const { request } = ready;
  const enabled = !args.isSet("no-batch");
  const limit = maxMs === undefined ? {} : { maxLatencyMs: maxMs };
  return { ...ready, request: { ...request, batching: { ...request.batching, enabled, ...limit } } };
}

function readyOnnx(context: VerbContext, subject: Subject, args: ParsedArgs): ReadySubject {
  const ready = runnable(subject, "cpu");
  const given = SETTING_WORDS.flatMap((word): [string, string][] => {
    const value = args.value(word);
    return value === undefined ? [] : [[word, value]];
  });
  const options = subject.kind === "model" ? subject.model.info.options : undefined;
  const onnx = onnxSettings(Object.fromEntries(given), options);
  // A model that names providers is to run on the first of them that works, as in its own framework.
  const device = args.value("device") ?? (onnx.providers === undefined ? "cpu" : "auto");
  if (!isDevice(device)) throw wrongDevice(device);
  const isInPython = device.startsWith(PYTHON_PREFIX);
  const { python: _, ...others } = PYTHON_OPTIONS;
  refuseOptions(others, args, "models that need Python");
  const python = filled(args, "python");
  if (python !== undefined && !isInPython) {
    throw wrongUse(
      `--python is for models that need Python and for --device ${PYTHON_PREFIX}cpu, ${PYTHON_PREFIX}cuda.`,
    );
  }
  const request: LoadRequest = { ...ready.request, device, onnx };
  return { ...ready, request: isInPython ? onnxInPython(context, request, python) : request };
}

function wrongDevice(device: string): ModelbenchError {
  const takes = `${ONNX_DEVICES.join(", ")} or auto, each also after ${PYTHON_PREFIX} for your own onnxruntime`;
  return wrongUse(`--device takes ${takes}, and cuda:1 for the second GPU; got ${JSON.stringify(device)}.`);
}

async function readyInPython(
  context: VerbContext,
  found: PythonModel,
  home: string | undefined,
  args: ParsedArgs,
): Promise<ReadySubject> {
  refuseOptions(ONNX_OPTIONS, args, "ONNX models");
  const as = FORMS.find((one) => one === args.value("as"));
  const dtype = dtypeIn(args);
  const form: InputForm = {
    ...(as === undefined ? {} : { as }),
    ...(dtype === undefined ? {} : { dtype }),
    numbers: found.python.dtype,
  };
  const ready = await readyPython(context, found, home, {
    python: filled(args, "python"),
    isAllowed: args.isSet("allow-code"),
    paths: args.values("python-path").map((folder) => resolve(folder)),
    device: pythonDevice(args),
    init: initIn(args),
    isolate: !args.isSet("no-isolation"),
  });
  return { ...ready, form };
}

function refuseOptions(options: Readonly<Record<string, OptionSyntax>>, args: ParsedArgs, whose: string): void {
  const given = Object.keys(options).find((name) => {
    return args.isSet(name) || args.value(name) !== undefined || args.values(name).length > 0;
  });
  if (given !== undefined) throw wrongUse(`--${given} is for ${whose}.`);
}

/** What jax and torch call a device: `gpu`, `cuda:1`; whether it is there only they know. */
function pythonDevice(args: ParsedArgs): string {
  const device = args.value("device") ?? "cpu";
  if (/^[a-z]+(:\d+)?$/.test(device)) return device;
  throw wrongUse(`--device takes a device such as cpu, gpu or cuda:0; got ${JSON.stringify(device)}.`);
}

function dtypeIn(args: ParsedArgs): DType | undefined {
  const name = filled(args, "dtype");
  if (name === undefined) return undefined;
  const dtype = jsonDType(name);
  if (dtype !== undefined) return dtype;
  throw wrongUse(`--dtype takes a numpy dtype such as float32 or int64; got ${JSON.stringify(name)}.`);
}

function initIn(args: ParsedArgs): boolean | undefined {
  const [yes, no] = [args.isSet("init"), args.isSet("no-init")];
  if (yes && no) throw wrongUse("Give --init or --no-init, not both.");
  return yes || no ? yes : undefined;
}

/** An option's value, which must not be empty. @throws ModelbenchError `usage` */
function filled(args: ParsedArgs, name: string): string | undefined {
  const value = args.value(name);
  if (value === "") throw wrongUse(`--${name} takes a value; got nothing.`);
  return value;
}

function wrongUse(message: string): ModelbenchError {
  return new ModelbenchError("usage", message, { remedy: "See modelbench run --help." });
}
