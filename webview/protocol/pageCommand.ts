import * as z from "zod/mini";

/** The commands of the extension that a page runs for its model. */
export const pageCommandSchema = z.enum([
  "exportModel",
  "copyModel",
  "deleteModel",
  "repairModel",
  "undoDelete",
  "pin",
  "unpin",
  "openCommit",
]);
/** A command of the extension that a page runs for its model. */
export type PageCommand = z.infer<typeof pageCommandSchema>;
