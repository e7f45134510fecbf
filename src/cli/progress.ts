import type { JobOptions } from "../base/ports";
import type { VerbContext } from "./verb";

/** Job options that draw one progress line on a terminal and obey Ctrl+C. */
export function jobOptions({ output, signal }: VerbContext, title: string): JobOptions {
  let shown = 0;
  return {
    signal,
    onProgress: ({ doneBytes, totalBytes, current }) => {
      const now = performance.now();
      if (now - shown < 100) return;
      shown = now;
      const share = totalBytes ? ` ${Math.floor((100 * doneBytes) / totalBytes)} %` : ` ${doneBytes} bytes`;
      output.progress(`${title}${share}${current === undefined ? "" : `  ${current}`}`);
    },
  };
}
