import { statSync } from "node:fs";
import { extname } from "node:path";
import { ModelbenchError, toWireError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import { parseExactJson } from "../formats/jsonExact";
import { readNpy, readNpyHeader } from "../formats/npy";
import type { MethodSignature, Tensor, ValueSpec } from "../formats/tensor";
import { readTensorProto } from "../formats/tensorProto";
import { generatedForm, generateTensor } from "./generate";
import { describeSpec, inputSpecs, nameFindings, type TensorForm, tensorFindings } from "./inputCheck";
import { tensorFromJson, undeclaredFromJson } from "./inputJson";
import type { InputIssue, InputValue } from "./protocol";
import { MAX_TEXT_BYTES } from "./valueBodies";
import { isTensor, type NamedValues, type RunValue } from "./values";

/** What a check may read of a file or a text without holding up its thread. */
const QUICK_BYTES = 65_536;

/** One input that a call gives: what is known of it, and how its JSON is read. */
interface Slot {
  readonly spec: ValueSpec;
  readonly isDeclared: boolean;
  readonly fromJson: (value: unknown) => RunValue;
}

function slotsOf(signature: MethodSignature, names: readonly string[]): Slot[] {
  const isDeclared = signature.isOpen !== true;
  return inputSpecs(signature, names).map((spec) => ({
    spec,
    isDeclared,
    fromJson: (value) => (isDeclared ? tensorFromJson(spec, value) : undeclaredFromJson(spec.name, value)),
  }));
}

/**
 * One input's value, whatever form it came in. Its rank and dimensions are not compared with the declaration.
 * @throws ModelbenchError `input.*`, `file.access`, `format.*`; the message names the input
 */
function readInput(slot: Slot, value: InputValue): RunValue {
  const { spec, isDeclared, fromJson } = slot;
  switch (value.kind) {
    case "tensor":
      return value.tensor;
    case "value":
      if (isDeclared && spec.type === "tensor") throw noTensor(spec, value.value.container);
      return value.value;
    case "json":
      return fromJson(value.value);
    case "text":
      return fromJson(naming(spec, undefined, () => parseExactJson(value.text)));
    case "file":
      return readFileInput(slot, value.path);
    case "generate":
      return generateTensor(spec, value);
  }
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
  if (value.kind === "generate") return generatedForm(slot.spec, value);
  if (isNpy(value)) return npyForm(slot.spec, value.path);
  if (!isQuick(slot.spec, value)) return undefined;
  const read = readInput(slot, value);
  return isTensor(read) ? read : undefined;
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

function readFileInput({ spec, fromJson }: Slot, path: string): RunValue {
  const extension = extname(path).toLowerCase();
  const size = fileSize(spec, path);
  return naming(spec, path, () => {
    const reader = openFileReader(path);
    try {
      if (extension === ".npy") return readNpy(reader, path);
      if (extension === ".pb") return readTensorProto(reader, path).tensor;
      if (extension !== ".json") throw unknownExtension(path);
      if (size > MAX_TEXT_BYTES)
        throw new ModelbenchError("budget.exceeded", `${path} has more than ${MAX_TEXT_BYTES} bytes.`);
      return fromJson(parseExactJson(new TextDecoder().decode(reader.read(0, size))));
    } finally {
      reader.close();
    }
  });
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
