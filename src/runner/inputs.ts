import { statSync } from "node:fs";
import { extname } from "node:path";
import { ModelbenchError, toWireError } from "../base/errors";
import { elementCount } from "../formats/elements";
import { openFileReader } from "../formats/fileReader";
import { parseExactJson } from "../formats/jsonExact";
import { readNpy, readNpyHeader } from "../formats/npy";
import type { MethodSignature, Tensor, ValueSpec } from "../formats/tensor";
import { readTensorProto } from "../formats/tensorProto";
import { generatedForm, generateTensor } from "./generate";
import { describeSpec, inputSpecs, nameFindings, type TensorForm, tensorFindings } from "./inputCheck";
import { tensorFromJson } from "./inputJson";
import type { InputForm, InputIssue, InputValue } from "./protocol";
import { openFromArray, openFromJson, openFromMade, openFromText } from "./pythonInputs";
import { MAX_TEXT_BYTES } from "./valueBodies";
import { isTensor, type NamedValues, type RunValue } from "./values";

/** What a check may read of a file or a text without holding up its thread. */
const QUICK_BYTES = 65_536;

/** One input that a call gives, and whether anything is known of it. */
interface Slot {
  readonly spec: ValueSpec;
  readonly isDeclared: boolean;
}

function slotsOf(signature: MethodSignature, names: readonly string[]): Slot[] {
  const isDeclared = signature.isOpen !== true;
  return inputSpecs(signature, names).map((spec) => ({ spec, isDeclared }));
}

/**
 * One input's value, whatever form it came in. Its rank and dimensions are not compared with the declaration.
 * @throws ModelbenchError `input.*`, `file.access`, `format.*`; the message names the input
 */
function readInput(slot: Slot, value: InputValue): RunValue {
  const { spec, isDeclared } = slot;
  switch (value.kind) {
    case "tensor":
      return value.tensor;
    case "value":
      if (isDeclared && spec.type === "tensor") throw noTensor(spec, value.value.container);
      return value.value;
    case "json":
      return isDeclared ? tensorFromJson(spec, value.value) : openFromJson(spec.name, value.value);
    case "text":
      return naming(spec, undefined, () => fromText(slot, value.text, value.form));
    case "file":
      return readFileInput(slot, value);
    case "generate":
      return isDeclared ? generateTensor(spec, value) : madeUp(spec, value);
  }
}

function fromText({ spec, isDeclared }: Slot, text: string, form: InputForm | undefined): RunValue {
  return isDeclared ? tensorFromJson(spec, parseExactJson(text)) : openFromText(spec.name, text, form);
}

/** Where nothing is declared the form says of what type, and the sizes are the whole shape. */
function madeUp(spec: ValueSpec, value: Extract<InputValue, { kind: "generate" }>): RunValue {
  return openFromMade(spec.name, generateTensor(generatedSpec(spec, value), value), value.form);
}

function generatedSpec(spec: ValueSpec, { form }: Extract<InputValue, { kind: "generate" }>): ValueSpec {
  return form === undefined ? spec : { ...spec, dtype: form.dtype ?? form.numbers };
}

/**
 * All inputs of a call, checked against the signature, in declared order; where nothing is declared, as they came.
 * @throws ModelbenchError of the first finding
 */
export function resolveInputs(signature: MethodSignature, inputs: Readonly<Record<string, InputValue>>): NamedValues {
  const names = Object.keys(inputs);
  const wrongName = nameFindings(signature, names)[0];
  if (wrongName !== undefined) throw wrongName.error;
  const values = new Map(
    slotsOf(signature, names).map((slot) => [slot.spec.name, readInput(slot, inputs[slot.spec.name] as InputValue)]),
  );
  const wrongTensor = tensorFindings(signature, tensorsOf(values))[0];
  if (wrongTensor !== undefined) throw wrongTensor.error;
  return Object.fromEntries(values);
}

function tensorsOf(values: ReadonlyMap<string, RunValue>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of values) if (isTensor(value)) tensors.set(name, value);
  return tensors;
}

/**
 * Everything that is wrong with the inputs of a call, without running it. Of an NPY file the header is read; other files and
 * texts over 64 KiB are left to the run, since a check may be made on a thread that must not wait.
 */
export function inputIssues(signature: MethodSignature, inputs: Readonly<Record<string, InputValue>>): InputIssue[] {
  const issues: InputIssue[] = [];
  const report = (input: string, error: unknown) => issues.push({ input, error: toWireError(error) });
  const names = Object.keys(inputs);
  for (const { input, error } of nameFindings(signature, names)) report(input, error);
  const tensors = new Map<string, TensorForm>();
  for (const slot of slotsOf(signature, names)) {
    const { name } = slot.spec;
    const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (value === undefined) continue;
    try {
      const form = quickForm(slot, value);
      if (form !== undefined) tensors.set(name, form);
    } catch (error) {
      report(name, error);
    }
  }
  for (const { input, error } of tensorFindings(signature, tensors)) report(input, error);
  return issues;
}

/** What an input is, as far as that is found without reading much; `undefined` also for what is no tensor. */
function quickForm(slot: Slot, value: InputValue): TensorForm | undefined {
  if (value.kind === "generate")
    return slot.isDeclared ? generatedForm(slot.spec, value) : quickMadeUp(slot.spec, value);
  if (isNpy(value) && (slot.isDeclared || isForArrays(value.form))) return npyForm(slot.spec, value.path);
  if (!isQuick(slot.spec, value)) return undefined;
  const read = readInput(slot, value);
  return isTensor(read) ? read : undefined;
}

/** A few values are made to see whether they take the form; more are left to the run. */
function quickMadeUp(spec: ValueSpec, value: Extract<InputValue, { kind: "generate" }>): TensorForm | undefined {
  const form = generatedForm(generatedSpec(spec, value), value);
  if (isForArrays(value.form)) return form;
  if (elementCount(form.shape) <= QUICK_BYTES / 64) madeUp(spec, value);
  return undefined;
}

function isForArrays(form: InputForm | undefined): boolean {
  return form?.as === undefined || form.as === "ndarray";
}

function isNpy(value: InputValue): value is Extract<InputValue, { kind: "file" }> {
  return value.kind === "file" && extname(value.path).toLowerCase() === ".npy";
}

/** What an array is by its header: of any size, at the cost of one small read. */
function npyForm(spec: ValueSpec, path: string): TensorForm {
  fileSize(spec, path);
  return naming(spec, path, () => {
    const reader = openFileReader(path);
    try {
      const { dtype, shape } = readNpyHeader(reader, path);
      // What cannot be read says why when it is read, before any of its values are.
      return dtype === null ? readNpy(reader, path) : { dtype, shape };
    } finally {
      reader.close();
    }
  });
}

function isQuick(spec: ValueSpec, value: InputValue): boolean {
  if (value.kind === "text") return value.text.length <= QUICK_BYTES;
  return value.kind !== "file" || fileSize(spec, value.path) <= QUICK_BYTES;
}

function readFileInput(slot: Slot, { path, form }: Extract<InputValue, { kind: "file" }>): RunValue {
  const { spec, isDeclared } = slot;
  const array = (read: Tensor) => (isDeclared ? read : openFromArray(spec.name, read, form));
  const extension = extname(path).toLowerCase();
  const size = fileSize(spec, path);
  return naming(spec, path, () => {
    const reader = openFileReader(path);
    try {
      if (extension === ".npy") return array(readNpy(reader, path));
      if (extension === ".pb") return array(readTensorProto(reader, path).tensor);
      if (extension !== ".json") throw unknownExtension(path);
      if (size > MAX_TEXT_BYTES)
        throw new ModelbenchError("budget.exceeded", `${path} has more than ${MAX_TEXT_BYTES} bytes.`);
      return fromJsonFile(slot, path, utf8Of(reader.read(0, size), path), form);
    } finally {
      reader.close();
    }
  });
}

/** Other encodings would come out as other letters, silently. */
function utf8Of(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ModelbenchError("format.corrupt", `${path} is no UTF-8 text.`, {
      path,
      cause,
      remedy: "JSON is UTF-8: save the file in that encoding.",
    });
  }
}

/** A text's reader knows nothing of the file. */
function fromJsonFile(slot: Slot, path: string, text: string, form: InputForm | undefined): RunValue {
  try {
    return fromText(slot, text, form);
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.code !== "format.corrupt") throw error;
    const { code, message, remedy, offset } = error;
    throw new ModelbenchError(code, `${path}: ${message}`, { remedy, offset, path, cause: error });
  }
}

function fileSize(spec: ValueSpec, path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw new ModelbenchError("file.access", `\`${spec.name}\`: the file ${path} cannot be read.`, { path, cause });
  }
}

/** Puts the input's name before a reader's message, which knows only the file. */
function naming<T>(spec: ValueSpec, path: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.message.startsWith(`\`${spec.name}\``)) throw error;
    throw new ModelbenchError(error.code, `\`${spec.name}\`: ${error.message}`, {
      remedy: error.remedy,
      path: error.path ?? path,
      offset: error.offset,
      cause: error,
    });
  }
}

function noTensor(spec: ValueSpec, container: string): ModelbenchError {
  const message = `\`${spec.name}\`: expected ${describeSpec(spec)}, got a ${container}.`;
  return new ModelbenchError("input.dtype", message);
}

function unknownExtension(path: string): ModelbenchError {
  return new ModelbenchError("format.mismatch", `${path} is no input file that this version reads.`, {
    path,
    remedy: "Give a .json, .npy or .pb (TensorProto) file.",
  });
}
