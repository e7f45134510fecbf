import { ModelbenchError } from "../base/errors";
import type { DType, MethodSignature, Tensor, ValueSpec } from "../formats/tensor";

/** What of a tensor is compared with a declaration. */
export type TensorForm = Pick<Tensor, "dtype" | "shape">;

/** A declared input in words: `float32 [N, 784]`, an unnamed dimension as `?`. */
export function describeSpec({ type, dtype, shape }: ValueSpec): string {
  if (type !== "tensor") return `${type === "optional" ? "an" : "a"} ${type}`;
  const dims = shape === null ? "of any shape" : `[${shape.map((dim) => dim ?? "?").join(", ")}]`;
  return `${dtype ?? "any dtype"} ${dims}`;
}

/** The element type of a declared input. @throws ModelbenchError `run.unsupported` when it is not a plain tensor */
export function tensorDType(spec: ValueSpec): DType {
  if (spec.type === "tensor" && spec.dtype !== null) return spec.dtype;
  throw new ModelbenchError(
    "run.unsupported",
    `\`${spec.name}\`: it is ${describeSpec(spec)}, and only tensors can be given.`,
  );
}

/** The signature of a method. @throws ModelbenchError `method.notFound` naming the ones there are */
export function methodOf(signatures: Readonly<Record<string, MethodSignature>>, method: string): MethodSignature {
  const signature = Object.hasOwn(signatures, method) ? signatures[method] : undefined;
  if (signature !== undefined) return signature;
  const names = Object.keys(signatures).join(", ");
  throw new ModelbenchError("method.notFound", `The model has no method \`${method}\`; it has: ${names}.`);
}

/** The inputs of a call as specs: the declared ones, or whatever is given where nothing is declared. */
export function inputSpecs({ isOpen, inputs }: MethodSignature, names: readonly string[]): readonly ValueSpec[] {
  return isOpen === true ? names.map(undeclaredSpec) : inputs;
}

function undeclaredSpec(name: string): ValueSpec {
  return { name, type: "tensor", dtype: "float64", shape: null };
}

/**
 * Inputs that are not declared, and declared ones that are missing, in that order; where nothing is declared, a
 * position before one that is given.
 */
export function nameFindings(
  signature: MethodSignature,
  names: readonly string[],
): { input: string; error: ModelbenchError }[] {
  if (signature.isOpen === true) return positionFindings(names);
  const declared = signature.inputs.map(({ name }) => name);
  const missing = declared.filter((name) => !names.includes(name));
  const findings = names
    .filter((name) => !declared.includes(name))
    .map((input) => ({ input, error: unknownName(input, declared, missing) }));
  for (const spec of signature.inputs) {
    if (missing.includes(spec.name)) findings.push({ input: spec.name, error: missingInput(spec) });
  }
  return findings;
}

/**
 * Tensors that the method would refuse: dtype, rank, fixed dimensions, and dimensions of one symbolic name that
 * differ between inputs. Inputs without a tensor are passed over.
 */
export function tensorFindings(
  signature: MethodSignature,
  tensors: ReadonlyMap<string, TensorForm>,
): { input: string; error: ModelbenchError }[] {
  const bound = new Map<string, { size: number; input: string }>();
  return signature.inputs.flatMap((spec) => {
    const tensor = tensors.get(spec.name);
    const error = tensor && checkTensor(spec, tensor, bound);
    return error === undefined ? [] : [{ input: spec.name, error }];
  });
}

function checkTensor(
  spec: ValueSpec,
  tensor: TensorForm,
  bound: Map<string, { size: number; input: string }>,
): ModelbenchError | undefined {
  if (tensor.dtype !== spec.dtype) return wrongDType(spec, tensor);
  if (spec.shape === null) return undefined;
  const fits = spec.shape.length === tensor.shape.length;
  if (!fits || spec.shape.some((dim, i) => typeof dim === "number" && dim !== tensor.shape[i]))
    return wrongDims(spec, tensor);
  for (const [i, dim] of spec.shape.entries()) {
    if (typeof dim !== "string") continue;
    const size = tensor.shape[i] as number;
    const earlier = bound.get(dim);
    if (earlier === undefined) bound.set(dim, { size, input: spec.name });
    else if (earlier.size !== size) return wrongSymbol(spec, tensor, dim, earlier);
  }
  return undefined;
}

function wrongDType(spec: ValueSpec, { dtype, shape }: TensorForm): ModelbenchError {
  return new ModelbenchError(
    "input.dtype",
    `\`${spec.name}\`: expected ${describeSpec(spec)}, got ${dtype} [${shape.join(", ")}].`,
    { remedy: `Convert the values first, in numpy: array.astype("${spec.dtype}").` },
  );
}

function wrongDims(spec: ValueSpec, { shape }: TensorForm): ModelbenchError {
  return new ModelbenchError(
    "input.shape",
    `\`${spec.name}\`: expected ${describeSpec(spec)}, got [${shape.join(", ")}].`,
  );
}

function wrongSymbol(
  spec: ValueSpec,
  { shape }: TensorForm,
  symbol: string,
  { size, input }: { size: number; input: string },
): ModelbenchError {
  const source = input === spec.name ? "on an earlier axis" : `in \`${input}\``;
  return new ModelbenchError(
    "input.shape",
    `\`${spec.name}\`: expected ${describeSpec(spec)} with ${symbol} = ${size} as ${source}, got [${shape.join(", ")}].`,
  );
}

/** Python takes no third argument without a second one. */
function positionFindings(names: readonly string[]): { input: string; error: ModelbenchError }[] {
  const positions = names.filter((name) => /^(0|[1-9][0-9]{0,8})$/.test(name)).map(Number);
  positions.sort((a, b) => a - b);
  const gap = positions.findIndex((position, i) => position !== i);
  if (gap < 0) return [];
  const input = String(gap);
  const message = `\`${input}\`: expected the value of this position, since position ${positions[gap]} is given.`;
  return [{ input, error: new ModelbenchError("input.notFound", message) }];
}

function unknownName(name: string, declared: readonly string[], missing: readonly string[]): ModelbenchError {
  const near = nearest(name, missing) ?? nearest(name, declared);
  const list = declared.map((known) => `\`${known}\``).join(", ");
  return new ModelbenchError("input.name", `There is no input \`${name}\`; the method takes ${list || "none"}.`, {
    remedy: near === undefined ? undefined : `Did you mean \`${near}\`?`,
  });
}

function missingInput(spec: ValueSpec): ModelbenchError {
  return new ModelbenchError("input.notFound", `\`${spec.name}\`: expected ${describeSpec(spec)}, got nothing.`);
}

/** The closest of `names` when it is close enough to be a slip: a third of its letters, two swapped ones at least. */
function nearest(name: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    const limit = candidate.length > 3 ? Math.max(2, Math.floor(candidate.length / 3)) : 1;
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Levenshtein's distance; long names are compared by their first 100 letters. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, 100), b.slice(0, 100)];
  let row = Array.from({ length: right.length + 1 }, (_, j) => j);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const swap = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}
