/** One thing to be timed; `run` is one sample. */
export interface Case {
  readonly name: string;
  run(): unknown;
  /** Makes ready for one sample; not timed. */
  before?(): unknown;
  /** Milliseconds of processor time so far of what the case runs in; left out = not measured. */
  processorMs?(): number;
}

/** Milliseconds of one case over all rounds. */
export interface Timing {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly samples: readonly number[];
  /** Processor time, where the case tells it: unlike the time that passes it hardly depends on what else runs. */
  readonly processorMs?: number;
}

/** Processor time of this process, all threads together. */
export function ownProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Times the cases in interleaved rounds, so that whatever else the machine does meets all of them: only the
 * ratios within one call mean anything. Garbage is collected between samples where Node allows it, because
 * freeing one case's buffers would otherwise be paid by the next. What takes microseconds is called `calls` times a
 * sample and without that: a forced collection shrinks the young generation, and the calls after it pay for it.
 */
export async function interleave(
  cases: readonly Case[],
  { warmUp = 1, rounds = 5, calls = 1 } = {},
): Promise<Timing[]> {
  const measured = cases.map(({ name }) => ({ name, times: [] as number[], processor: [] as number[] }));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [i, { run, before, processorMs }] of cases.entries()) {
      await before?.();
      if (calls === 1) globalThis.gc?.();
      const spent = processorMs?.() ?? Number.NaN;
      const start = performance.now();
      for (let call = 0; call < calls; call += 1) await run();
      const took = performance.now() - start;
      if (round < 0) continue;
      measured[i]?.times.push(took / calls);
      if (processorMs !== undefined) measured[i]?.processor.push((processorMs() - spent) / calls);
    }
  }
  return measured.map(({ name, times, processor }) => timingOf(name, times, processor));
}

/** A timing of samples that were taken elsewhere, in the rounds of a call of `interleave`. */
export function timingOf(name: string, samples: readonly number[], processor: readonly number[] = []): Timing {
  const times = { name, medianMs: median(samples), minMs: Math.min(...samples), samples };
  return processor.length === 0 ? times : { ...times, processorMs: median(processor) };
}

/** The timing of one of `count` equal parts of each sample. */
export function partOf({ name, samples, processorMs }: Timing, count: number): Timing {
  const part = timingOf(
    name,
    samples.map((ms) => ms / count),
  );
  return processorMs === undefined ? part : { ...part, processorMs: processorMs / count };
}

/** The middle sample, or the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** One line of the report: ours against a peer or a physical limit, in one run. */
export interface Ratio {
  readonly what: string;
  readonly ours: Timing;
  readonly against: Timing;
  /** What is promised: ours / against at most this. `undefined` = shown only. */
  readonly atMost?: number;
  /** The samples were taken in the same rounds: the ratio is the median of theirs, whatever the machine did meanwhile. */
  readonly isPaired?: boolean;
  /** What is promised: ours - against at most this many milliseconds, or MiB. */
  readonly atMostMoreMs?: number;
  /** What the figures are; milliseconds when left out. */
  readonly unit?: "ms" | "MiB";
}

/** One line of the report that compares with nothing: an amount and what is promised of it. */
export interface Amount {
  readonly what: string;
  readonly amount: number;
  readonly unit: string;
  readonly atMost?: number;
}

/** The report as aligned text; a ratio beyond its promise is marked, never hidden. */
export function renderRatios(ratios: readonly (Ratio | Amount)[]): string {
  const rows = ratios.map((row) => {
    if ("amount" in row) return amountRow(row);
    const { what, ours, against, unit = "ms" } = row;
    const ratio = ratioOf(row);
    const goal = goalOf(row, ratio);
    return [
      what,
      `${digits(ours.medianMs)} ${unit}`,
      against.name,
      `${digits(against.medianMs)} ${unit}`,
      `${digits(ratio)}x`,
      processorRatio(row),
      goal,
    ];
  });
  const head = ["what", "ours", "against", "theirs", "ratio", "cpu", "goal"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function amountRow({ what, amount, unit, atMost }: Amount): string[] {
  const goal = atMost === undefined ? "" : `${amount <= atMost ? "within" : "MISSES"} ${digits(atMost)} ${unit}`;
  return [what, `${digits(amount)} ${unit}`, "", "", "", "", goal];
}

function ratioOf({ ours, against, isPaired }: Ratio): number {
  if (isPaired !== true) return ours.medianMs / against.medianMs;
  return median(ours.samples.map((ms, i) => ms / (against.samples[i] ?? Number.NaN)));
}

function processorRatio({ ours, against }: Ratio): string {
  if (ours.processorMs === undefined || against.processorMs === undefined) return "";
  return `${digits(ours.processorMs / against.processorMs)}x`;
}

function goalOf({ ours, against, atMost, atMostMoreMs, unit = "ms" }: Ratio, ratio: number): string {
  if (atMost !== undefined) return `${ratio <= atMost ? "within" : "MISSES"} ${digits(atMost)}x`;
  if (atMostMoreMs === undefined) return "";
  const more = ours.medianMs - against.medianMs;
  return `${more <= atMostMoreMs ? "within" : "MISSES"} +${digits(atMostMoreMs)} ${unit} (+${digits(more)})`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
