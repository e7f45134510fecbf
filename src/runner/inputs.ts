import { statSync } from "node:fs";
import { extname } from "node:path";
import { ModelbenchError, toWireError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import { parseExactJson } from "../formats/jsonExact";
import { readNpy, readNpyHeader } from "../formats/npy";
import type { MethodSignature, Tensor, ValueSpec } from "../formats/tensor";
import { readTensorProto } from "../formats/tensorProto";
import { generatedForm, generateTensor } from "./generate";
import { nameFindings, type TensorForm, tensorFindings } from "./inputCheck";
import { tensorFromJson } from "./inputJson";
import type { InputIssue, InputValue } from "./protocol";

/** V8 holds no longer text. */
const MAX_JSON_BYTES = 512 * 1024 * 1024 - 64;

/** What a check may read of a file or a text without holding up its thread. */
const QUICK_BYTES = 65_536;

/**
 * One input's tensor, whatever form it came in. Its rank and dimensions are not compared with the declaration.
 * @throws ModelbenchError `input.*`, `file.access`, `format.*`; the message names the input
 */
function readInput(spec: ValueSpec, value: InputValue): Tensor {
  switch (value.kind) {
    case "tensor":
      return value.tensor;
    case "json":
      return tensorFromJson(spec, value.value);
    case "text":
      return tensorFromJson(
        spec,
        naming(spec, undefined, () => parseExactJson(value.text)),
      );
    case "file":
      return readFileInput(spec, value.path);
    case "generate":
      return generateTensor(spec, value);
  }
}

/**
 * All inputs of a call, checked against the signature, in declared order.
 * @throws ModelbenchError of the first finding
 */
export function resolveInputs(
  signature: MethodSignature,
  inputs: Readonly<Record<string, InputValue>>,
): Readonly<Record<string, Tensor>> {
  const wrongName = nameFindings(signature, Object.keys(inputs))[0];
  if (wrongName !== undefined) throw wrongName.error;
  const tensors = new Map(
    signature.inputs.map((spec) => [spec.name, readInput(spec, inputs[spec.name] as InputValue)]),
  );
  const wrongTensor = tensorFindings(signature, tensors)[0];
  if (wrongTensor !== undefined) throw wrongTensor.error;
  return Object.fromEntries(tensors);
}

/**
 * Everything that is wrong with the inputs of a call, without running it. Of an NPY file the header is read; other files and
 * texts over 64 KiB are left to the run, since a check may be made on a thread that must not wait.
 */
export function inputIssues(signature: MethodSignature, inputs: Readonly<Record<string, InputValue>>): InputIssue[] {
  const issues: InputIssue[] = [];
  const report = (input: string, error: unknown) => issues.push({ input, error: toWireError(error) });
  for (const { input, error } of nameFindings(signature, Object.keys(inputs))) report(input, error);
  const tensors = new Map<string, TensorForm>();
  for (const spec of signature.inputs) {
    const value = Object.hasOwn(inputs, spec.name) ? inputs[spec.name] : undefined;
    if (value === undefined) continue;
    try {
      if (value.kind === "generate") tensors.set(spec.name, generatedForm(spec, value));
      else if (isNpy(value)) tensors.set(spec.name, npyForm(spec, value.path));
      else if (isQuick(spec, value)) tensors.set(spec.name, readInput(spec, value));
    } catch (error) {
      report(spec.name, error);
    }
  }
  for (const { input, error } of tensorFindings(signature, tensors)) report(input, error);
  return issues;
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

function readFileInput(spec: ValueSpec, path: string): Tensor {
  const extension = extname(path).toLowerCase();
  const size = fileSize(spec, path);
  return naming(spec, path, () => {
    const reader = openFileReader(path);
    try {
      if (extension === ".npy") return readNpy(reader, path);
      if (extension === ".pb") return readTensorProto(reader, path).tensor;
      if (extension !== ".json") throw unknownExtension(path);
      if (size > MAX_JSON_BYTES)
        throw new ModelbenchError("budget.exceeded", `${path} has more than ${MAX_JSON_BYTES} bytes.`);
      return tensorFromJson(spec, parseExactJson(new TextDecoder().decode(reader.read(0, size))));
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

function unknownExtension(path: string): ModelbenchError {
  return new ModelbenchError("format.mismatch", `${path} is no input file that this version reads.`, {
    path,
    remedy: "Give a .json, .npy or .pb (TensorProto) file.",
  });
}
