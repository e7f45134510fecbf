import * as z from "zod/mini";

/** Number of the shape below; state of another one is dropped. */
export const STATE_SCHEMA = 1;

/** The tabs of the details editor. */
export type Section = "overview" | "signatures" | "test";

const stateSchema = z.strictObject({
  schema: z.literal(STATE_SCHEMA),
  store: z.string(),
  tag: z.string(),
  section: z.enum(["overview", "signatures", "test"]),
});

/** What the page keeps across hiding and reloading: which model and which tab. The host keeps the rest. */
export type SavedState = z.infer<typeof stateSchema>;

/** Reads saved state; `undefined` for none or one of another schema. */
export function readSavedState(value: unknown): SavedState | undefined {
  const parsed = stateSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The section a text names, the first one when it names none. */
export function sectionOf(text: string): Section {
  return text === "signatures" || text === "test" ? text : "overview";
}
