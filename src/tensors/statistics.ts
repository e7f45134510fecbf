import { decodeElements, elementCount, itemSize } from "../formats/elements";
import type { DType } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";
import { BINS, type Bins, binOf, binsBetween } from "./bins";
import { type Kernel, RUN_BYTES, type WideType, withKernel } from "./kernel/kernel";
import { LARGEST_SHIFT, Moments } from "./moments";
import { type ShownValue, shownValue } from "./shownValues";

/**
 * Figures of all values of a tensor. NaN and infinities are counted and left out of all else; -0 is a zero. Integers of
 * 64 bits are texts; `null` where no finite value is, and for complex numbers and text, which have no such figure.
 */
export interface TensorStatistics {
  /** Elements. */
  readonly count: number;
  readonly min: ShownValue | null;
  readonly max: ShownValue | null;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  /** Of complex numbers: those with a part that is NaN. */
  readonly nan: number;
  /** Of complex numbers: those without a NaN and with an infinite part. */
  readonly inf: number;
  readonly zeros: number;
  /**
   * 64 equal bins from min to max over the finite values, the last one closed, as `np.histogram` counts them; `null`
   * where all values are equal or too near to one another to have bins between them.
   */
  readonly histogram: { readonly low: number; readonly high: number; readonly counts: readonly number[] } | null;
}

/** What is asked of `measure`. */
export interface MeasureOptions {
  /** Leave out the histogram, for which the values of wide types are read a second time. */
  readonly histogram?: boolean;
}

/** How often the values of a tensor are read to measure it. */
export function readsToMeasure(dtype: DType): number {
  return isWide(dtype) ? 2 : 1;
}

/**
 * Reads a tensor by runs of 256 KiB and yields the bytes of each; mean and std are those of float64 arithmetic to 12
 * digits, all else is exact.
 * @throws ModelbenchError those of `TensorData.read`
 */
export function* measure(data: TensorData, options: MeasureOptions = {}): Generator<number, TensorStatistics> {
  const { dtype } = data;
  if (dtype === "string") return { ...NO_FIGURES, count: elementCount(data.shape) };
  if (dtype === "complex64" || dtype === "complex128") return yield* measureComplex(data);
  if (isWide(dtype)) return yield* withKernel((kernel) => measureWide(data, dtype, kernel, options));
  return yield* withKernel((kernel) => measureCodes(data, dtype, kernel));
}

const NO_FIGURES: Omit<TensorStatistics, "count"> = {
  min: null,
  max: null,
  mean: null,
  std: null,
  nan: 0,
  inf: 0,
  zeros: 0,
  histogram: null,
};

function isWide(dtype: DType): dtype is WideType {
  return /^(float|u?int)(32|64)$/.test(dtype);
}

/** All values as runs of the size the kernel takes. */
function* runsOf(data: TensorData): Generator<Uint8Array, void> {
  const count = elementCount(data.shape);
  const atOnce = RUN_BYTES / (itemSize(data.dtype) ?? 1);
  for (let start = 0; start < count; start += atOnce) yield data.read(start, Math.min(atOnce, count - start));
}

function* measureWide(
  data: TensorData,
  dtype: WideType,
  kernel: Kernel,
  { histogram = true }: MeasureOptions,
): Generator<number, TensorStatistics> {
  const count = elementCount(data.shape);
  const moments = new Moments();
  let [nan, zeros, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  kernel.resetRange64();
  for (const run of runsOf(data)) {
    // Between the extremes, because the kernel may count it among them.
    const near = moments.count > 0 ? Math.min(high, Math.max(low, moments.shift)) : firstFinite(run, dtype);
    const shift = dtype === "float32" ? Math.fround(near) : near;
    const sums = kernel.sums(dtype, run, shift);
    moments.add(sums, shift);
    nan += sums.nan;
    zeros += sums.zeros;
    if (sums.finite > 0) [low, high] = [Math.min(low, sums.min), Math.max(high, sums.max)];
    yield run.length;
  }
  if (moments.count === 0) return { ...NO_FIGURES, count, nan, inf: count - nan };
  const exact = dtype === "int64" || dtype === "uint64" ? kernel.range64(dtype) : { min: low + 0, max: high + 0 };
  const bins = histogram ? binsBetween(low, high, dtype === "float32") : undefined;
  return {
    count,
    min: shownValue(exact.min),
    max: shownValue(exact.max),
    mean: moments.mean,
    std: moments.std,
    nan,
    inf: count - nan - moments.count,
    zeros,
    histogram: bins ? { low, high, counts: yield* countBins(data, dtype, kernel, bins) } : null,
  };
}

function* countBins(data: TensorData, dtype: WideType, kernel: Kernel, bins: Bins): Generator<number, number[]> {
  const counts = new Float64Array(BINS);
  kernel.setBins(bins);
  for (const run of runsOf(data)) {
    kernel.addToBins(dtype, run, counts, bins.scale, bins.margin);
    yield run.length;
  }
  return [...counts];
}

/**
 * A value to take sums about before a mean is known, so that nothing is lost where all values are far from 0: the first
 * one, or where distances from that may be infinite, the one between the extremes that is nearest to 0.
 */
function firstFinite(run: Uint8Array, dtype: WideType): number {
  const tensor = { dtype, shape: [run.length / (itemSize(dtype) ?? 1)], data: run };
  const [first] = decodeElements(tensor, 0, 1).map(Number);
  if (Number.isFinite(first) && Math.abs(first ?? 0) < LARGEST_SHIFT) return first ?? 0;
  const values = decodeElements(tensor).map(Number).filter(Number.isFinite);
  const isBelow = (value: number): boolean => value < 0;
  if (values.some(isBelow) && !values.every(isBelow)) return 0;
  return values.reduce((nearest, value) => (Math.abs(value) < Math.abs(nearest) ? value : nearest), values[0] ?? 0);
}

/** Types of one or two bytes: how often each code occurs says it all. */
function* measureCodes(
  data: TensorData,
  dtype: Exclude<DType, WideType>,
  kernel: Kernel,
): Generator<number, TensorStatistics> {
  const size = itemSize(dtype) === 1 ? 1 : 2;
  const codes =
    size === 1 ? Uint8Array.from({ length: 256 }, (_, i) => i) : Uint16Array.from({ length: 65_536 }, (_, i) => i);
  kernel.resetCodes(size);
  for (const run of runsOf(data)) {
    kernel.countCodes(run);
    yield run.length;
  }
  const counts = kernel.codeCounts();
  const values = decodeElements({ dtype, shape: [codes.length], data: new Uint8Array(codes.buffer) }).map(Number);
  const finite = values.flatMap((value, code) => {
    const times = counts[code] ?? 0;
    return times > 0 && Number.isFinite(value) ? [{ value, times }] : [];
  });
  const times = (isIt: (value: number) => boolean): number =>
    values.reduce((sum, value, code) => sum + (isIt(value) ? (counts[code] ?? 0) : 0), 0);
  const count = elementCount(data.shape);
  const nan = times(Number.isNaN);
  const found = { ...NO_FIGURES, count, nan, inf: times((value) => Math.abs(value) === Number.POSITIVE_INFINITY) };
  if (finite.length === 0) return found;
  const low = finite.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY) + 0;
  const high = finite.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY) + 0;
  const bins = binsBetween(low, high, false);
  const shown = (value: number): ShownValue => (dtype === "bool" ? value !== 0 : shownValue(value));
  return {
    ...found,
    min: shown(low),
    max: shown(high),
    ...Moments.of(finite),
    zeros: times((value) => value === 0),
    histogram: bins ? { low, high, counts: countedBins(finite, bins) } : null,
  };
}

function countedBins(values: readonly { readonly value: number; readonly times: number }[], bins: Bins): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const { value, times } of values) {
    const bin = binOf(bins, value);
    counts[bin] = (counts[bin] ?? 0) + times;
  }
  return counts;
}

function* measureComplex(data: TensorData): Generator<number, TensorStatistics> {
  let [nan, inf, zeros] = [0, 0, 0];
  for (const run of runsOf(data)) {
    const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
    const size = data.dtype === "complex64" ? 4 : 8;
    const part = (at: number): number => (size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
    for (let at = 0; at < run.length; at += 2 * size) {
      const [re, im] = [part(at), part(at + size)];
      if (Number.isNaN(re) || Number.isNaN(im)) nan++;
      else if (!Number.isFinite(re) || !Number.isFinite(im)) inf++;
      else if (re === 0 && im === 0) zeros++;
    }
    yield run.length;
  }
  return { ...NO_FIGURES, count: elementCount(data.shape), nan, inf, zeros };
}
