import { stringifyExact } from "../../formats/jsonExact";
import type { MethodSignature, ValueSpec } from "../../formats/tensor";
import type { FactDifference, FactPart, FileFact } from "./facts";

/** What a difference is called in one line, for instance `labels.stage`. */
export function factName({ part, key }: Pick<FactDifference, "part" | "key">): string {
  return PREFIX[part] === "" ? key : `${PREFIX[part]}${key}`;
}

const PREFIX: Readonly<Record<FactPart, string>> = {
  model: "",
  labels: "labels.",
  metadata: "metadata.",
  options: "options.",
  context: "context.",
  format: "",
  signatures: "signatures.",
  fileMetadata: "file metadata.",
  onnx: "onnx ",
  pickle: "pickle ",
  files: "file ",
};

/** A value of a difference as text: text as it is, a method as its inputs and outputs, else exact JSON. */
export function factText(part: FactPart, value: unknown): string {
  if (typeof value === "string") return value;
  if (part === "signatures") return methodText(value as MethodSignature);
  if (part === "files") return fileText(value as FileFact);
  return stringifyExact(value);
}

function fileText({ bytes, format, sha256 }: FileFact): string {
  return `${format}, ${bytes} bytes${sha256 === undefined ? "" : `, sha256 ${sha256}`}`;
}

function methodText({ inputs, outputs, batchable, batchDim }: MethodSignature): string {
  const batch = batchable ? `, batchable ${batchDim.join(" ")}` : "";
  return `(${inputs.map(specText).join(", ")}) -> (${outputs.map(specText).join(", ")})${batch}`;
}

/** One input or output in one line, for instance `x float32 [batch, 3]`. */
export function specText({ name, type, dtype, shape }: ValueSpec): string {
  if (type !== "tensor") return `${name} ${type}`;
  return `${name} ${dtype ?? "?"} ${shape === null ? "of unknown rank" : `[${shape.map((dim) => dim ?? "?").join(", ")}]`}`;
}
