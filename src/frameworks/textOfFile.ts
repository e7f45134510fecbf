import { ModelbenchError } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { inspectArchive } from "./archiveContent";
import { formatOf } from "./contentFormats";
import { inspectFile } from "./inspect";
import { inspectText, unreadableText } from "./inspectText";

/** What damage is a line of the text: a diff of a file that became unreadable has to show that. */
const SHOWN = new Set(["format.mismatch", "format.corrupt", "budget.exceeded", "archive.corrupt", "archive.unsafe"]);

/**
 * What is in a file as lines that stay the same as long as the content does.
 * @throws ModelbenchError `file.access`, `cancelled`
 */
export async function textOfFile(path: string, options: JobOptions): Promise<string[]> {
  try {
    const asked = { digest: true, leaves: true };
    return inspectText(
      formatOf(path) === "archive" ? await inspectArchive(path, asked, options) : inspectFile(path, asked),
    );
  } catch (error) {
    if (!(error instanceof ModelbenchError && SHOWN.has(error.code))) throw error;
    return unreadableText(path, error);
  }
}

/** The work behind `textOfFileJob`. @throws ModelbenchError those of `textOfFile` */
export async function runTextOfFile({ path }: { readonly path: string }, options: JobOptions): Promise<string> {
  return `${(await textOfFile(path, options)).join("\n")}\n`;
}
