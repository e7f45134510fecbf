import type { JobKey, JobOptions } from "../../base/ports";
import { ModelStore } from "../../store/modelStore";
import { paced } from "../../store/pace";
import { difference, type ValueDifference } from "../../tensors/difference";
import type { ContentRef } from "../contentJobs";
import { contents, dataOf } from "../contentReading";
import { compare } from "./compare";
import type { Comparison } from "./comparison";
import type { Comparable } from "./side";

/** Compares two files or versions; reports bytes and hears a cancel. */
export const compareJob: JobKey<{ readonly a: ContentRef; readonly b: ContentRef }, Comparison> = { name: "compare" };

/** The work behind `compareJob`. @throws ModelbenchError those of `compare` and `ModelStore.get` */
export function runCompare(
  { a, b }: { readonly a: ContentRef; readonly b: ContentRef },
  options: JobOptions,
): Promise<Comparison> {
  return compare(comparable(a), comparable(b), {}, options);
}

function comparable(ref: ContentRef): Comparable {
  return ref.kind === "file" ? ref : { kind: "model", model: new ModelStore(ref.home).get(ref.tag) };
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
