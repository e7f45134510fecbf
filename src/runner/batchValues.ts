import type { BatchAnswer, BatchPlan, Entry, Part, PartAnswer } from "./batchRequest";
import { isWhole } from "./batchRequest";
import { concatValues, mergeableValues, rowsOf, sliceValue, splitValue } from "./mergeValues";
import type { NamedValues, RunValue } from "./values";

/** The inputs of one batch; a request that rides alone and whole keeps its own. */
export function joinInputs(parts: readonly Part[]): NamedValues {
  const only = parts[0] as Part;
  const { inputs, plan } = only.entry.request;
  if (parts.length === 1 && isWhole(only)) return inputs;
  const axis = (plan as BatchPlan).inAxis;
  const columns = Object.keys(inputs).map((name) => {
    const pieces = parts.map(({ entry, start, count }) =>
      sliceValue(entry.request.inputs[name] as RunValue, axis, start, count),
    );
    return [name, concatValues(pieces, axis)] as const;
  });
  return Object.fromEntries(columns);
}

/**
 * Each part's own outputs. `undefined`: some output has not as many rows as the batch, so that nobody knows which of
 * them are whose. What rode alone and whole gets everything, whatever its length.
 */
export function splitOutputs(parts: readonly Part[], outputs: NamedValues): NamedValues[] | undefined {
  const only = parts[0] as Part;
  if (parts.length === 1 && isWhole(only)) return [outputs];
  const axis = (only.entry.request.plan as BatchPlan).outAxis;
  const counts = parts.map(({ count }) => count);
  const rows = sum(counts);
  const values = Object.entries(outputs);
  if (values.some(([, value]) => rowsOf(value, axis) !== rows)) return undefined;
  const columns = values.map(([name, value]) => ({ name, pieces: splitValue(value, axis, counts) }));
  return parts.map((_, i) => Object.fromEntries(columns.map(({ name, pieces }) => [name, pieces[i] as RunValue])));
}

/** Whether the outputs of all pieces differ in nothing but their length along the batch axis. */
export function areJoinable({ request, answers }: Entry): boolean {
  const [first, ...others] = answers;
  const axis = request.plan?.outAxis ?? 0;
  const count = Object.keys(first?.outputs ?? {}).length;
  return others.every(({ outputs }) => {
    const values = Object.entries(outputs);
    return values.length === count && values.every(([name, value]) => fits(first?.outputs[name], value, axis));
  });
}

function fits(start: RunValue | undefined, value: RunValue, axis: number): boolean {
  return start !== undefined && mergeableValues(start, value, axis);
}

/** The answer to a request whose pieces have all been answered, and are joinable. */
export function joinAnswers({ request, answers, submitted, started }: Entry): BatchAnswer {
  const last = answers[answers.length - 1] as PartAnswer;
  const queueMs = (started ?? submitted) - submitted;
  const batches = answers.length;
  if (batches === 1) return { ...last, queueMs, batches };
  const axis = (request.plan as BatchPlan).outAxis;
  const joined = Object.keys(last.outputs).map((name) => {
    const pieces = answers.map(({ outputs }) => outputs[name] as RunValue);
    return [name, concatValues(pieces, axis)] as const;
  });
  return {
    ...last,
    outputs: Object.fromEntries(joined),
    queueMs,
    batches,
    batchSize: Math.max(...answers.map(({ batchSize }) => batchSize)),
    batchMs: sum(answers.map(({ batchMs }) => batchMs)),
    runMs: sum(answers.map(({ runMs }) => runMs)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
