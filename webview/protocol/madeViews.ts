import * as z from "zod/mini";

/** A file that a model was made with, and what became of it; `unclear` = touched since, and not read again. */
const madeWith = z.strictObject({ path: z.string(), state: z.enum(["same", "changed", "missing", "unclear"]) });

/** What made a model, where that was noted. */
const provenanceViewSchema = z.strictObject({
  /** What was evaluated in the script. */
  expression: z.string(),
  script: madeWith,
  /** `null` = there was no repository. */
  commit: z.nullable(
    z.strictObject({
      hash: z.string(),
      branch: z.nullable(z.string()),
      /** Whether anything differed from the commit; `null` = nobody knows. */
      isDirty: z.nullable(z.boolean()),
      remote: z.nullable(z.string()),
      /** Path of the script in the repository. */
      script: z.string(),
    }),
  ),
  data: z.array(madeWith),
});
/** What made a model, where that was noted. */
export type ProvenanceView = z.infer<typeof provenanceViewSchema>;

/** The versions that a model was made with, beside those of the Python that would run it. */
const versionsViewSchema = z.strictObject({
  /** Absolute. */
  interpreter: z.string(),
  /** `now` = `null` where it is not installed. */
  rows: z.array(z.strictObject({ name: z.string(), saved: z.string(), now: z.nullable(z.string()) })),
});
/** The versions that a model was made with, beside those of the Python that would run it. */
export type VersionsView = z.infer<typeof versionsViewSchema>;

/** Custom objects as they said of themselves once they were loaded; `repr` is cut where it is long. */
export const loadedObjectsSchema = z.array(z.strictObject({ name: z.string(), type: z.string(), repr: z.string() }));
/** Custom objects as they said of themselves once they were loaded. */
export type LoadedObjectsView = z.infer<typeof loadedObjectsSchema>;

/** What the details show of how a model was made, and of what is in its pickles and options. */
export const madeFields = {
  provenance: z.nullable(provenanceViewSchema),
  versions: z.nullable(versionsViewSchema),
  /** Read without loading them; an empty type = only loading would tell, `null` = not even the names can be told. */
  customObjects: z.nullable(z.array(z.strictObject({ name: z.string(), type: z.string() }))),
  /** JSON objects by method; `null` for one that can only be edited in the file, and for options without them. */
  partialKwargs: z.nullable(z.array(z.strictObject({ key: z.string(), json: z.nullable(z.string()) }))),
};
