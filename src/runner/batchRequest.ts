import { mergeableValues, rowsOf } from "./mergeValues";
import { isTensor, type NamedOutputs, type NamedValues, type RunValue } from "./values";

/** How requests of one method may share a run; `undefined` in its place = every request runs alone. */
export interface BatchPlan {
  /** Axis along which all inputs are joined. */
  readonly inAxis: number;
  /** Axis along which all outputs are split. */
  readonly outAxis: number;
}

/** One inference that waits for its turn. */
export interface BatchRequest {
  /** Names the request for `cancel`; unique among those unanswered. */
  readonly id: number;
  readonly method: string;
  readonly inputs: NamedValues;
  readonly plan: BatchPlan | undefined;
}

/** What all requests of one batch hear of it, milliseconds throughout. */
export interface BatchFacts {
  /** Joining, handing over and splitting: the batch's time less the run's. */
  readonly batchMs: number;
  readonly runMs: number;
  /** Number of the (last) batch a request rode in, from 1. */
  readonly batchId: number;
  /** Rows in that batch, in the largest one when a request was cut; 1 where there is no batch axis. */
  readonly batchSize: number;
  /** Requests that shared that batch. */
  readonly batchRequests: number;
}

/** The answer to one request. */
export interface BatchAnswer extends BatchFacts {
  readonly outputs: NamedOutputs;
  /** From `submit` to the start of the batch. */
  readonly queueMs: number;
  /** Batches the request was cut into; 1 = it rode whole. */
  readonly batches: number;
}

/** What one batch answers to one of its requests. */
export interface PartAnswer {
  readonly outputs: NamedOutputs;
  readonly batch: BatchFacts;
}

/** A request in the batcher's hands. */
export interface Entry {
  readonly request: BatchRequest;
  /** Along the batch axis; `undefined` = runs alone, uncut. */
  rows: number | undefined;
  /** When it came, on the batcher's clock. */
  readonly submitted: number;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Rows handed to a batch so far. */
  taken: number;
  /** Rows that its pieces have brought answers for. */
  answered: number;
  /** Bytes of arrays in those answers. */
  answeredBytes: number;
  /** Its pieces do not make up an answer, so it runs once more, whole: what they still bring counts no more. */
  isUncut: boolean;
  started: number | undefined;
  settled: boolean;
  /** Stopped while it runs: it is rejected when the run ends. */
  cancelled: boolean;
  /** Of its pieces, in the order of their rows. */
  readonly answers: PieceAnswer[];
}

/** What one batch answers to a piece of a request, with the row that the piece begins at. */
export interface PieceAnswer extends PartAnswer {
  readonly start: number;
}

/** The rows `[start, start + count)` of a request that ride in one batch. */
export interface Part {
  readonly entry: Entry;
  readonly start: number;
  readonly count: number;
  /** All of a request that was cut before. */
  readonly isUncut?: boolean;
}

/** Rows of a request, or `undefined` when it has no batch axis that all its inputs share. */
export function countRows({ inputs, plan }: BatchRequest): number | undefined {
  if (plan === undefined) return undefined;
  let rows: number | undefined;
  for (const name of Object.keys(inputs)) {
    const length = rowsOf(inputs[name] as RunValue, plan.inAxis);
    if (length === undefined || length !== (rows ?? length)) return undefined;
    rows = length;
  }
  return rows === 0 ? undefined : rows;
}

/** What the answer names as batch size when a request runs alone: its rows where it has some. */
export function soloRows({ request }: Entry): number {
  const first = Object.values(request.inputs)[0];
  return (first && rowsOf(first, request.plan?.inAxis ?? 0)) ?? 1;
}

/** What of a request goes into a batch that has `room` rows left, behind `first`; `undefined` = it starts the next. */
export function nextPart(entry: Entry, first: Entry | undefined, room: number, maxRows: number): Part | undefined {
  if (entry.rows === undefined) return first === undefined ? { entry, start: 0, count: soloRows(entry) } : undefined;
  if (room <= 0 || (first !== undefined && (first.rows === undefined || !fitTogether(first, entry)))) return undefined;
  const left = entry.rows - entry.taken;
  if (left > room && entry.rows <= maxRows) return undefined;
  return { entry, start: entry.taken, count: Math.min(left, room) };
}

function fitTogether({ request: one }: Entry, { request: other }: Entry): boolean {
  if (one.method !== other.method || one.plan?.inAxis !== other.plan?.inAxis) return false;
  const names = Object.keys(one.inputs);
  if (names.length !== Object.keys(other.inputs).length) return false;
  return names.every((name) => {
    const [left, right] = [one.inputs[name], other.inputs[name]];
    return left !== undefined && right !== undefined && mergeableValues(left, right, one.plan?.inAxis ?? 0);
  });
}

/** Whether nobody waits for a part any more: its request was answered, or runs once more, whole. */
export function isStale({ entry, isUncut }: Part): boolean {
  return entry.settled || (entry.isUncut && isUncut !== true);
}

/** Keeps what a piece was answered; whether all of them were. Pieces that run at once may end in any order. */
export function takeAnswer({ entry, start, count }: Part, answer: PartAnswer): boolean {
  const { answers, rows } = entry;
  const after = answers.findIndex((other) => other.start > start);
  answers.splice(after < 0 ? answers.length : after, 0, { ...answer, start });
  entry.answered += count;
  for (const value of answer.outputs.values()) entry.answeredBytes += bytesOf(value);
  return entry.answered === rows;
}

function bytesOf(value: RunValue): number {
  if (isTensor(value)) return value.data.byteLength;
  return value.container === "dataframe" ? value.columns.reduce((sum, [, { data }]) => sum + data.byteLength, 0) : 0;
}

/** Whether a part is all of its request. */
export function isWhole({ entry, count, start }: Part): boolean {
  return entry.rows === undefined || (start === 0 && count === entry.rows);
}
