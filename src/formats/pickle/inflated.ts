import { type inflateRawSync, type Zlib, constants as zlibConstants } from "node:zlib";

/** Most bytes of a compressed file that are read, and most that are made of them. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** What unpacking may still cost, over several tries and members. */
export interface UnpackBudget {
  readonly inflatable: number;
  inflated(bytes: number, ms: number): void;
}

/** What a compressed file holds, as far as it was unpacked. */
export interface Unpacked {
  readonly content: Buffer;
  /** `undefined` when that is all; otherwise why there may be more. */
  readonly unread: string | undefined;
}

/** What a decompressor made of its input. */
export interface Inflated extends Unpacked {
  /** Bytes of the input up to the end of the stream, or all; `undefined` when it was not unpacked to there. */
  readonly consumed: number | undefined;
}

/**
 * What a decompressor makes of `packed`; when that is too much, or cut short, as much as fits.
 * @param isCut whether there is more than `packed`
 * @param budget shared with others
 */
export function inflated(
  packed: Buffer,
  isCut: boolean,
  inflate: typeof inflateRawSync,
  budget?: UnpackBudget,
): Inflated {
  let unread = isCut ? TOO_LONG : undefined;
  for (let length = packed.length; length > 0; length = Math.floor(length / 2)) {
    const maxOutputLength = Math.min(MAX_UNPACKED_BYTES, budget?.inflatable ?? MAX_UNPACKED_BYTES);
    if (maxOutputLength === 0) return { content: Buffer.alloc(0), unread: SPENT, consumed: undefined };
    const options = { finishFlush: zlibConstants.Z_SYNC_FLUSH, maxOutputLength, info: true };
    const begun = performance.now();
    try {
      const { buffer: content, engine } = inflate(packed.subarray(0, length), options) as unknown as InflateInfo;
      budget?.inflated(content.length, performance.now() - begun);
      return { content, unread, consumed: length === packed.length ? engine.bytesWritten : undefined };
    } catch (error) {
      const isLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      budget?.inflated(isLong ? maxOutputLength : length, performance.now() - begun);
      unread = isLong ? TOO_LONG : "the compressed data are damaged";
    }
  }
  return { content: Buffer.alloc(0), unread, consumed: undefined };
}

/** The answer with `info`, of which the types of Node know nothing. */
interface InflateInfo {
  readonly buffer: Buffer;
  readonly engine: Zlib;
}

const SPENT = "unpacking the members before it took all that may be spent";
/** Why a file is not unpacked whole. */
export const TOO_LONG = `more than ${MAX_UNPACKED_BYTES >> 20} MiB would have to be unpacked`;
