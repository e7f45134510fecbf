import { deflateRawSync } from "node:zlib";
import type { LzmaProperties } from "../../formats/xz/lzmaCoder";

/** Bytes of one sample. */
export const SAMPLE_BYTES = 32 * 1024;
/**
 * Deflating is worth its time when it saves at least a tenth: float weights give up 7 to 8 % at 15 MB/s, text and
 * sparse weights far more.
 */
const WORTH = 0.9;

/** Whether deflating these samples saves enough. */
export function deflates(samples: readonly Uint8Array[]): boolean {
  const plain = samples.reduce((sum, { length }) => sum + length, 0);
  const packed = samples.reduce((sum, sample) => sum + deflateRawSync(sample, { level: 1 }).length, 0);
  return packed < plain * WORTH;
}

/** What `xz` takes for everything, and what fits numbers of four bytes. */
const TEXT: LzmaProperties = { lc: 3, lp: 0, pb: 2 };
const NUMBERS: LzmaProperties = { lc: 2, lp: 2, pb: 2 };

/** The properties by which a byte of the samples is the better known. Samples begin at multiples of four. */
export function chooseProperties(samples: readonly Uint8Array[]): LzmaProperties {
  return uncertainty(samples, NUMBERS) < uncertainty(samples, TEXT) ? NUMBERS : TEXT;
}

/** Bits that are left of each byte when the context of its literal is known, summed. */
function uncertainty(samples: readonly Uint8Array[], { lc, lp }: LzmaProperties): number {
  const counts = new Float64Array(256 << (lc + lp));
  const totals = new Float64Array(1 << (lc + lp));
  for (const sample of samples) {
    for (let i = 1; i < sample.length; i++) {
      const context = ((i & ((1 << lp) - 1)) << lc) | ((sample[i - 1] as number) >> (8 - lc));
      const cell = (context << 8) | (sample[i] as number);
      counts[cell] = (counts[cell] as number) + 1;
      totals[context] = (totals[context] as number) + 1;
    }
  }
  const weigh = (count: number) => (count > 0 ? count * Math.log2(count) : 0);
  return totals.reduce((sum, total) => sum + weigh(total), 0) - counts.reduce((sum, count) => sum + weigh(count), 0);
}
