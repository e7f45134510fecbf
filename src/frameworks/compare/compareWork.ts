import type { JobOptions } from "../../base/ports";
import { ModelStore } from "../../store/modelStore";
import { paced } from "../../store/pace";
import { areComparable, difference, type ValueDifference } from "../../tensors/difference";
import type { ContentRef } from "../contentJobs";
import { contents, dataOf } from "../contentReading";
import { compare } from "./compare";
import {
  type ComparedRefs,
  type ComparisonSummary,
  type FactWords,
  filesWritten,
  type TensorPair,
} from "./compareJobs";
import type { FactDifference, FileFact } from "./facts";
import type { Comparable } from "./side";
import { factText } from "./words";

/** Most tensors and facts that leave the jobs process: the command line has all of them. */
const MOST = { tensors: 5_000, facts: 500, characters: 4_000 };

/** The work behind `compareJob`. @throws ModelbenchError those of `compare` and `ModelStore.get` */
export async function runCompare({ a, b }: ComparedRefs, options: JobOptions): Promise<ComparisonSummary> {
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
  const { change, key, part, a, b } = fact;
  const text = (value: unknown): FileFact | string =>
    part === "files" ? (value as FileFact) : factText(part, value).slice(0, MOST.characters);
  return {
    part,
    key: key.slice(0, MOST.characters),
    change,
    a: change === "added" ? null : text(a),
    b: change === "removed" ? null : text(b),
  };
}

/**
 * The work behind `compareTensorsJob`.
 * @throws ModelbenchError `result.gone` when the files have no such pair any more, those of `FileContent.data`, `cancelled`
 */
export function runCompareTensors({ a, b }: TensorPair, options: JobOptions): Promise<ValueDifference> {
  return contents.lend(a.ref, (left) =>
    contents.lend(b.ref, (right) => {
      const [one, other] = [left.content.tensors[a.tensor], right.content.tensors[b.tensor]];
      if (!one?.dtype || !other?.dtype || !areComparable(one.dtype, other.dtype) || `${one.shape}` !== `${other.shape}`)
        throw filesWritten();
      const [x, y] = [dataOf(left.content, a.tensor), dataOf(right.content, b.tensor)];
      const bytes = one.bytes + other.bytes;
      return paced(difference(x, y, { ulps: true }), bytes, options);
    }),
  );
}
