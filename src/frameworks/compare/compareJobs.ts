import type { JobKey, JobOptions } from "../../base/ports";
import { ModelStore } from "../../store/modelStore";
import { paced } from "../../store/pace";
import { difference, type ValueDifference } from "../../tensors/difference";
import type { ContentRef } from "../contentJobs";
import { contents, dataOf } from "../contentReading";
import { compare } from "./compare";
import type { Comparison } from "./comparison";
import type { FactDifference } from "./facts";
import type { Comparable } from "./side";
import { factName, factText } from "./words";

/** Most tensors and facts that leave the jobs process: the command line has all of them. */
const MOST = { tensors: 5_000, facts: 500, characters: 4_000 };

/** A fact that differs, in words. */
export interface FactWords extends Pick<FactDifference, "change"> {
  readonly name: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** A comparison as a window shows it: the first of what differs, and how many more there are. */
export interface ComparisonSummary extends Omit<Comparison, "facts"> {
  readonly facts: readonly FactWords[];
  readonly moreFacts: number;
  readonly moreTensors: number;
}

/** Compares two files or versions; reports bytes and hears a cancel. */
export const compareJob: JobKey<{ readonly a: ContentRef; readonly b: ContentRef }, ComparisonSummary> = {
  name: "compare",
};

/** The work behind `compareJob`. @throws ModelbenchError those of `compare` and `ModelStore.get` */
export async function runCompare(
  { a, b }: { readonly a: ContentRef; readonly b: ContentRef },
  options: JobOptions,
): Promise<ComparisonSummary> {
  const found = await compare(comparable(a), comparable(b), {}, options);
  return {
    ...found,
    facts: found.facts.slice(0, MOST.facts).map(wordsOf),
    moreFacts: Math.max(0, found.facts.length - MOST.facts),
    tensors: found.tensors.slice(0, MOST.tensors),
    moreTensors: Math.max(0, found.tensors.length - MOST.tensors),
  };
}

function comparable(ref: ContentRef): Comparable {
  return ref.kind === "file" ? ref : { kind: "model", model: new ModelStore(ref.home).get(ref.tag) };
}

function wordsOf(fact: FactDifference): FactWords {
  const { change, part, a, b } = fact;
  const text = (value: unknown): string => factText(part, value).slice(0, MOST.characters);
  return {
    name: factName(fact).slice(0, MOST.characters),
    change,
    a: change === "added" ? null : text(a),
    b: change === "removed" ? null : text(b),
  };
}

/** One tensor of each side, by its number in file order. */
export interface TensorPair {
  readonly a: { readonly ref: ContentRef; readonly tensor: number };
  readonly b: { readonly ref: ContentRef; readonly tensor: number };
}

/** Compares two tensors of one shape, with units in the last place where both are of one float type. */
export const compareTensorsJob: JobKey<TensorPair, ValueDifference> = { name: "compare.tensors" };

/** The work behind `compareTensorsJob`. @throws ModelbenchError those of `FileContent.data`, `cancelled` */
export function runCompareTensors({ a, b }: TensorPair, options: JobOptions): Promise<ValueDifference> {
  return contents.lend(a.ref, (left) =>
    contents.lend(b.ref, (right) => {
      const [x, y] = [dataOf(left.content, a.tensor), dataOf(right.content, b.tensor)];
      const bytes = (left.content.tensors[a.tensor]?.bytes ?? 0) + (right.content.tensors[b.tensor]?.bytes ?? 0);
      return paced(difference(x, y, { ulps: true }), bytes, options);
    }),
  );
}
