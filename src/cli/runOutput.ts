import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { decodeColumn, elementCount } from "../formats/elements";
import { stringifyExact } from "../formats/jsonExact";
import { writeNpy } from "../formats/npy";
import type { Tensor } from "../formats/tensor";
import { jsonElement, tensorToNested } from "../formats/tensorJson";
import type { RunOutput, RunResult } from "../runner/protocol";
import { makeOutFolder } from "./outFolder";
import type { Output } from "./output";

/** More values than these are no text to read, and would not fit into the longest one. */
const MAX_SHOWN = 2 ** 23;

/** Bytes of texts that are shown at most. */
const MAX_SHOWN_BYTES = 2 ** 27;

/** Longest part of an output's name in a file's name; file systems end at 255 bytes. */
const MAX_FILE_NAME = 200;

/**
 * Shows one inference: values nested row-major, or with `folder` each output as a `.npy` file in it. What is no array is
 * JSON, in `folder` a `.json` file: a list as it is, a DataFrame as `{columns, rows}`.
 * @throws ModelbenchError `budget.exceeded` for more values than can be shown
 */
export function presentResult(output: Output, result: RunResult, folder: string | undefined): void {
  if (folder === undefined) refuseTooMany(result.outputs);
  const files = folder === undefined ? undefined : writeOutputs(result.outputs, folder);
  if (output.json) output.document(resultJson(result, files));
  else output.lines(resultLines(result, files));
}

function refuseTooMany(outputs: readonly RunOutput[]): void {
  const tensors = outputs.flatMap(tensorsOf);
  const count = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (count <= MAX_SHOWN && bytes <= MAX_SHOWN_BYTES) return;
  throw new ModelbenchError(
    "budget.exceeded",
    `The outputs have ${count} values in ${bytes} bytes; that is too much to print.`,
    {
      remedy: "Give --out DIR to have each output written as a .npy file.",
    },
  );
}

function resultJson({ outputs, timing, batchSize, device }: RunResult, files: readonly string[] | undefined): string {
  const values = outputs.map((one, i): readonly [string, object] => {
    const { name, dtype, shape, value } = one;
    const file = files?.[i];
    if (value !== undefined) return [name, file === undefined ? { json: jsonOf(value) } : { file }];
    return [name, { dtype, shape, ...(file === undefined ? { data: tensorToNested(valuesOf(one)) } : { file }) }];
  });
  return stringifyExact({ outputs: new Map(values), timing, batchSize, device }, 2);
}

function resultLines({ outputs, timing, device }: RunResult, files: readonly string[] | undefined): string[] {
  const times = Object.entries(timing).map(([name, ms]) => `${name.replace(/Ms$/, "")} ${ms.toFixed(1)} ms`);
  const values = outputs.map((one, i) => {
    const { name, dtype, shape, value } = one;
    const form = value?.container ?? `${dtype} [${shape.join(", ")}]`;
    return `${name}  ${form}  ${files?.[i] ?? stringifyExact(value ? jsonOf(value) : tensorToNested(valuesOf(one)))}`;
  });
  return [...values, `${times.join(" · ")} · ${device}`];
}

/** Writes one file an output and answers with the paths. Names are the model's and could hold anything, so file
 *  names come from a fixed alphabet, and a second one of the same spelling gets its position in front. */
function writeOutputs(outputs: readonly RunOutput[], folder: string): string[] {
  makeOutFolder(folder);
  const taken = new Set<string>();
  return outputs.map((one, i) => {
    const plain =
      one.name
        .replace(/[^A-Za-z0-9._-]/g, "_")
        .replace(/^\.+/, "_")
        .slice(0, MAX_FILE_NAME) || "output";
    let name = plain;
    while (taken.has(name.toLowerCase())) name = `${i}-${name}`;
    taken.add(name.toLowerCase());
    const path = join(folder, `${name}.${one.value ? "json" : "npy"}`);
    writeFileSync(path, one.value ? `${stringifyExact(jsonOf(one.value))}\n` : writeNpy(valuesOf(one)));
    return path;
  });
}

/** What is no array as plain JSON; a DataFrame in a form that `--as dataframe` takes. */
function jsonOf(value: NonNullable<RunOutput["value"]>): unknown {
  switch (value.container) {
    case "list":
      return value.items;
    case "object":
      return value.value;
    case "dataframe": {
      const columns = value.columns.map(([, values]) =>
        decodeColumn(values).map((value) => (value === null ? null : jsonElement(value))),
      );
      const rows = Array.from(columns[0] ?? [], (_, row) => columns.map((values) => values[row]));
      return { columns: value.columns.map(([name]) => name), rows };
    }
  }
}

function tensorsOf({ tensor, value }: RunOutput): Tensor[] {
  if (tensor !== undefined) return [tensor];
  return value?.container === "dataframe" ? value.columns.map(([, values]) => values) : [];
}

function valuesOf({ name, tensor }: RunOutput): Tensor {
  if (tensor === undefined) throw new ModelbenchError("internal", `Output ${name} came without its values.`);
  return tensor;
}
