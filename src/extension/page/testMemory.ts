import * as z from "zod/mini";
import { fitsMessage } from "../../../webview/protocol/size";
import { draftsSchema, historyItemSchema, replySchema } from "../../../webview/protocol/views";

/** Where the state of tests outlives the window: `vscode.Memento`, or a map in tests. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** Number of the shape below; what was kept under another one is dropped. */
const SCHEMA = 2;

/** Largest state kept of one model, as `fitsMessage` counts: results and big inputs beyond it are forgotten. */
const MAX_BYTES = 400_000;

const keptSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  method: z.string(),
  drafts: z.record(z.string(), draftsSchema),
  history: z.array(z.strictObject({ item: historyItemSchema, drafts: draftsSchema })),
  /** Absolute paths of picked files by handle. */
  files: z.record(z.string(), z.string()),
  replies: z.array(z.nullable(replySchema)),
  repliesMethod: z.string(),
  /** How the model is to be loaded. */
  engine: z.strictObject({ device: z.string(), settings: z.record(z.string(), z.string()) }),
});

/** What is kept of one model's test between windows. */
export type KeptTest = Omit<z.infer<typeof keptSchema>, "schema">;

/** Reads what was kept; `undefined` when there is nothing or it is of another schema. */
export function recall(memory: Memory, key: string): KeptTest | undefined {
  const parsed = keptSchema.safeParse(memory.get(memoryKey(key)));
  if (!parsed.success) return undefined;
  const { schema: _, ...kept } = parsed.data;
  return kept;
}

/** Keeps what fits: everything, else all but the result, else the method alone. */
export async function remember(memory: Memory, key: string, kept: KeptTest): Promise<void> {
  const lighter: KeptTest = { ...kept, replies: [], history: kept.history.slice(0, 5) };
  const bare: KeptTest = { ...lighter, drafts: {}, history: [], files: {} };
  const fitting = [kept, lighter, bare].find((state) => fitsMessage(state, MAX_BYTES)) ?? bare;
  await memory.update(memoryKey(key), { schema: SCHEMA, ...fitting });
}

function memoryKey(key: string): string {
  return `modelbench.test/${key}`;
}
