import type { JobKey } from "../base/ports";

/** The text of a file, by its absolute path. */
export const textOfFileJob: JobKey<{ readonly path: string }, string> = { name: "text.file" };
