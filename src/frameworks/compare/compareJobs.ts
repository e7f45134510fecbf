import { ModelbenchError } from "../../base/errors";
import type { JobKey } from "../../base/ports";
import type { ValueDifference } from "../../tensors/difference";
import type { ContentRef } from "../contentJobs";
import type { Comparison } from "./comparison";
import type { FactDifference, FileFact } from "./facts";

/** A fact that differs, its values in words; those of a file stay data. */
export interface FactWords extends Pick<FactDifference, "change" | "key" | "part"> {
  readonly a: FileFact | string | null;
  readonly b: FileFact | string | null;
}

/** A comparison as a window shows it: the first of what differs, and how many more there are. */
export interface ComparisonSummary extends Omit<Comparison, "facts"> {
  readonly facts: readonly FactWords[];
  readonly moreFacts: number;
  readonly moreTensors: number;
}

/** The two sides of a comparison. */
export interface ComparedRefs {
  readonly a: ContentRef;
  readonly b: ContentRef;
}

/** Compares two files or versions; reports bytes and hears a cancel. */
export const compareJob: JobKey<ComparedRefs, ComparisonSummary> = { name: "compare" };

/** One tensor of each side, by its number in file order. */
export interface TensorPair {
  readonly a: { readonly ref: ContentRef; readonly tensor: number };
  readonly b: { readonly ref: ContentRef; readonly tensor: number };
}

/** Compares two tensors of one shape, with units in the last place where both are of one float type. */
export const compareTensorsJob: JobKey<TensorPair, ValueDifference> = { name: "compare.tensors" };

/** What was found of two files is not what they hold now. */
export function filesWritten(): ModelbenchError {
  const remedy = "Compare them again.";
  return new ModelbenchError("result.gone", "The two were written to since they were compared.", { remedy });
}
