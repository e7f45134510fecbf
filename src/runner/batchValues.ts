import type { BatchAnswer, BatchPlan, Entry, Part, PartAnswer } from "./batchRequest";
import { isWhole } from "./batchRequest";
import type { Allocate } from "./merge";
import { concatValues, mergeableValues, rowsOf, sliceValue, splitValue } from "./mergeValues";
import type { NamedOutputs, NamedValues, RunValue } from "./values";

/** The inputs of one batch, in bytes from `allocate`; a request that rides alone and whole keeps its own. */
export function joinInputs(parts: readonly Part[], allocate: Allocate): NamedValues {
  const only = parts[0] as Part;
  const { inputs, plan } = only.entry.request;
  if (parts.length === 1 && isWhole(only)) return inputs;
  const axis = (plan as BatchPlan).inAxis;
  const columns = Object.keys(inputs).map((name) => {
    const pieces = parts.map(({ entry, start, count }) =>
      sliceValue(entry.request.inputs[name] as RunValue, axis, start, count),
    );
    return [name, concatValues(pieces, axis, allocate)] as const;
  });
  return Object.fromEntries(columns);
}

/**
 * Each part's own outputs. `undefined`: some output has not as many rows as the batch, so that nobody knows which of
 * them are whose. What rode alone and whole gets everything, whatever its length.
 */
export function splitOutputs(parts: readonly Part[], outputs: NamedOutputs): NamedOutputs[] | undefined {
  const only = parts[0] as Part;
  if (parts.length === 1 && isWhole(only)) return [outputs];
  const axis = (only.entry.request.plan as BatchPlan).outAxis;
  const counts = parts.map(({ count }) => count);
  const rows = sum(counts);
  const answers = parts.map(() => new Map<string, RunValue>());
  for (const [name, value] of outputs) {
    if (rowsOf(value, axis) !== rows) return undefined;
    const pieces = splitValue(value, axis, counts);
    for (let i = 0; i < pieces.length; i += 1) answers[i]?.set(name, pieces[i] as RunValue);
  }
  return answers;
}

/** Whether the outputs of all pieces differ in nothing but their length along the batch axis. */
export function areJoinable({ request, answers }: Entry): boolean {
  const [first, ...others] = answers.map(({ outputs }) => outputs);
  const axis = request.plan?.outAxis ?? 0;
  return others.every(
    (outputs) =>
      outputs.size === first?.size && [...outputs].every(([name, value]) => fits(first.get(name), value, axis)),
  );
}

function fits(start: RunValue | undefined, value: RunValue, axis: number): boolean {
  return start !== undefined && mergeableValues(start, value, axis);
}

/** The answer to a request that rode whole. */
export function wholeAnswer({ submitted, started }: Entry, { outputs, batch }: PartAnswer): BatchAnswer {
  const { batchMs, runMs, batchId, batchSize, batchRequests } = batch;
  const queueMs = (started ?? submitted) - submitted;
  return { outputs, queueMs, batchMs, runMs, batchId, batchSize, batchRequests, batches: 1 };
}

/** The answer to a request whose pieces have all been answered, and are joinable. */
export function joinAnswers(entry: Entry): BatchAnswer {
  const { request, answers } = entry;
  const last = answers[answers.length - 1] as PartAnswer;
  const axis = (request.plan as BatchPlan).outAxis;
  const outputs = new Map<string, RunValue>();
  for (const name of last.outputs.keys()) {
    const pieces = answers.map((answer) => answer.outputs.get(name) as RunValue);
    outputs.set(name, concatValues(pieces, axis));
  }
  return {
    ...wholeAnswer(entry, last),
    outputs,
    batches: answers.length,
    batchSize: Math.max(...answers.map(({ batch }) => batch.batchSize)),
    batchMs: sum(answers.map(({ batch }) => batch.batchMs)),
    runMs: sum(answers.map(({ batch }) => batch.runMs)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
