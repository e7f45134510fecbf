/** Bins of every histogram. */
export const BINS = 64;

/** Equal bins between two values; the last one is closed. */
export interface Bins {
  /** 65, rising. */
  readonly edges: Float64Array;
  /** Bins per unit. */
  readonly scale: number;
  /** How near to an edge, in bins, `(value - low) * scale` may be in the wrong bin. */
  readonly margin: number;
}

/**
 * The bins from `low` to `high` as `np.histogram` makes them: its edges are float32 for float32 values, else float64.
 * Where numpy gives up, because neighbouring edges are one float32 or the range is beyond the type, float64 is taken.
 * `undefined` where even its steps are too coarse, as for two values next to each other.
 * @see numpy lib/_histograms_impl.py `_get_bin_edges`, numpy/_core/function_base.py `linspace`
 */
export function binsBetween(low: number, high: number, isFloat32: boolean): Bins | undefined {
  const scale = BINS / (high - low);
  const magnitude = Math.max(Math.abs(low), Math.abs(high)) / (high - low);
  // Four times what rounding may add up to: two roundings relative to the range, one relative to the edge itself.
  const margin = (bits: number): number => Math.min(0.5, BINS * 2 ** (2 - bits) * (2 + magnitude));
  if (isFloat32) {
    const edges = linspace(low, high, Math.fround);
    if (areRising(edges)) return { edges, scale, margin: margin(24) };
  }
  const edges = linspace(low, high, (value) => value);
  if (areRising(edges)) return { edges, scale, margin: margin(52) };
  const halved = Float64Array.from({ length: BINS + 1 }, (_, i) => low * (1 - i / BINS) + high * (i / BINS));
  // Beyond the range of differences there is no scale: every value is looked up.
  return areRising(halved) ? { edges: halved, scale: 0, margin: 0.5 } : undefined;
}

/** The bin of a finite value between the first and the last edge. */
export function binOf({ edges }: Bins, value: number): number {
  let low = 0;
  let high = BINS;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value >= (edges[middle] ?? 0)) low = middle;
    else high = middle;
  }
  return low;
}

function linspace(low: number, high: number, round: (value: number) => number): Float64Array {
  const delta = round(high - low);
  const step = round(delta / BINS);
  const edges = Float64Array.from({ length: BINS + 1 }, (_, i) =>
    round((step === 0 ? round(round(i / BINS) * delta) : round(i * step)) + low),
  );
  edges[BINS] = high;
  return edges;
}

function areRising(edges: Float64Array): boolean {
  return edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > (edges[i - 1] ?? edge)));
}
