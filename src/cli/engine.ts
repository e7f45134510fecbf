import { resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import { ONNX_DEVICES } from "../frameworks/onnx/providers";
import { onnxSettings, SETTING_WORDS } from "../frameworks/onnx/sessionOptions";
import type { LoadRequest } from "../runner/protocol";
import type { OptionSyntax, ParsedArgs } from "./args";
import { dtypeNamed, FORMS, type InputForm } from "./pythonInputs";
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
};

/** Options that say something to ONNX models only. */
const ONNX_OPTIONS: Readonly<Record<string, OptionSyntax>> = Object.fromEntries(
  SETTING_WORDS.map((word) => [word, "value"]),
);

/** How a model is loaded, whatever runs it. */
export const ENGINE_OPTIONS: Readonly<Record<string, OptionSyntax>> = {
  device: "value",
  "no-batch": "switch",
  ...PYTHON_OPTIONS,
  ...ONNX_OPTIONS,
};

/** What `--help` says of them. */
export const ENGINE_NOTES: readonly string[] = [
  "Models that need Python also take:",
  "  --allow-code             runs the model's code; MODELBENCH_ALLOW_CODE=DIGEST,... allows only that of a digest",
  "  --python PATH            interpreter, else MODELBENCH_PYTHON, VIRTUAL_ENV, .venv or python3",
  "  --python-path DIR...     folders with modules of your project",
  "  --as ndarray|list|dataframe, --dtype T   what JSON becomes; NAME is a parameter or a position",
  "  --device cpu|gpu|cuda:0|...              as jax and torch call it",
  "  --no-init                flax: the state as it was saved, on the device",
  "ONNX models also take:",
  `  --device ${[...ONNX_DEVICES].reverse().join("|")}|auto`,
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
  const ready = found === undefined ? readyOnnx(subject, args) : await readyInPython(context, found, home, args);
  const { request } = ready;
  return { ...ready, request: { ...request, batching: { ...request.batching, enabled: !args.isSet("no-batch") } } };
}

function readyOnnx(subject: Subject, args: ParsedArgs): ReadySubject {
  const device = args.value("device") ?? "cpu";
  const ready = runnable(subject, device);
  refuseOptions(PYTHON_OPTIONS, args, "models that need Python");
  if (device !== "auto" && !ONNX_DEVICES.some((one) => one === device)) {
    throw wrongUse(`--device takes ${ONNX_DEVICES.join(", ")} or auto; got ${JSON.stringify(device)}.`);
  }
  const given = SETTING_WORDS.flatMap((word): [string, string][] => {
    const value = args.value(word);
    return value === undefined ? [] : [[word, value]];
  });
  const options = subject.kind === "model" ? subject.model.info.options : undefined;
  const request: LoadRequest = { ...ready.request, onnx: onnxSettings(Object.fromEntries(given), options) };
  return { ...ready, request };
}

async function readyInPython(
  context: VerbContext,
  found: PythonModel,
  home: string | undefined,
  args: ParsedArgs,
): Promise<ReadySubject> {
  refuseOptions(ONNX_OPTIONS, args, "ONNX models");
  const dtype = filled(args, "dtype");
  const form: InputForm = {
    as: FORMS.find((one) => one === args.value("as")),
    dtype: dtype === undefined ? undefined : dtypeNamed(dtype),
    numbers: found.python.dtype,
  };
  const ready = await readyPython(context, found, home, {
    python: filled(args, "python"),
    isAllowed: args.isSet("allow-code"),
    paths: args.values("python-path").map((folder) => resolve(folder)),
    device: pythonDevice(args),
    init: initIn(args),
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
