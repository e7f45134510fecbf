import { WholeFloat } from "../formats/jsonExact";
import type { YamlMap, YamlValue } from "../formats/pyYaml";
import type { MethodSignature, ValueSpec } from "../formats/tensor";
import { yamlAsData } from "./yamlAsData";

/** An example input as nested JSON values, by input name. */
export type ExampleInputs = Readonly<Record<string, unknown>>;

/** Larger examples are not generated: they would be sent and shown whole. */
const MAX_ELEMENTS = 1_000_000;

/**
 * Example inputs for every method: what the model's metadata holds under `input_example` where its nesting fits the
 * input's shape, else zeros (`false`, `""`) with every dynamic dimension 1. Inputs that are not tensors, and ones too
 * large to show, are left out. A method whose inputs nobody has declared has what the metadata holds: values by
 * parameter or position, or the only argument.
 */
export function exampleInputs(
  signatures: Readonly<Record<string, MethodSignature>>,
  metadata?: YamlMap,
): Readonly<Record<string, ExampleInputs>> {
  const given = metadata?.get("input_example");
  const examples =
    given instanceof Map ? new Map([...given].map(([name, value]) => [name, yamlAsData(value)])) : undefined;
  return Object.fromEntries(
    Object.entries(signatures).map(([method, { inputs, isOpen }]) => [
      method,
      isOpen
        ? openExample(given)
        : Object.fromEntries(inputs.flatMap((spec) => exampleEntry(spec, examples?.get(spec.name)))),
    ]),
  );
}

function openExample(given: YamlValue | undefined): ExampleInputs {
  if (given === undefined) return {};
  const data = yamlAsData(given);
  return data instanceof Map ? Object.fromEntries(data) : { 0: data };
}

function exampleEntry(spec: ValueSpec, given: unknown): [string, unknown][] {
  if (spec.type !== "tensor" || spec.dtype === null) return [];
  const example = withoutWholeFloats(given);
  if (example !== undefined && fits(example, spec)) return [[spec.name, example]];
  const dims = (spec.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1));
  return dims.reduce((product, dim) => product * dim, 1) > MAX_ELEMENTS ? [] : [[spec.name, filled(spec, dims)]];
}

/** A tensor's dtype says what its numbers are. */
function withoutWholeFloats(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWholeFloats);
  return value instanceof WholeFloat ? value.value : value;
}

function filled(spec: ValueSpec, dims: readonly number[]): unknown {
  const [first, ...rest] = dims;
  if (first !== undefined) return Array.from({ length: first }, () => filled(spec, rest));
  if (spec.dtype === "bool") return false;
  if (spec.dtype === "string") return "";
  return spec.dtype?.startsWith("complex") ? { re: 0, im: 0 } : 0;
}

/** Whether nested lists have the declared rank and dimensions, are rectangular, and hold values of the dtype. */
function fits(value: unknown, spec: ValueSpec): boolean {
  const dims = rectangle(value);
  if (dims === undefined || (spec.shape !== null && spec.shape.length !== dims.length)) return false;
  const matches = (spec.shape ?? []).every((dim, axis) => typeof dim !== "number" || dim === dims[axis]);
  return matches && leaves(value).every((leaf) => holds(spec, leaf));
}

/** Dimensions of nested lists; `undefined` when they are ragged. */
function rectangle(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value)) return [];
  const inner = value.map(rectangle);
  const first = inner[0] ?? [];
  return inner.every((dims) => dims?.join() === first.join()) ? [value.length, ...first] : undefined;
}

function leaves(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flatMap(leaves) : [value];
}

function holds({ dtype }: ValueSpec, leaf: unknown): boolean {
  if (dtype === "string") return typeof leaf === "string";
  if (dtype === "bool") return typeof leaf === "boolean";
  const isInteger = typeof leaf === "bigint" || Number.isInteger(leaf);
  return dtype?.startsWith("float") || dtype === "bfloat16" ? isInteger || typeof leaf === "number" : isInteger;
}
