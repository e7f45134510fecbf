import type { Warning } from "../base/errors";
import type { JobKey } from "../base/ports";
import type { PickleFacts } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import type { HeatMap } from "../tensors/heatMap";
import type { ShownValue } from "../tensors/shownValues";
import type { SliceFormat } from "../tensors/sliceFile";
import type { TensorStatistics } from "../tensors/statistics";
import type { TensorView, ViewRange } from "../tensors/view";
import type { OnnxFacts, StoredTensor } from "./content";
import type { InspectedFile } from "./modelContent";

export type { ShownValue, SliceFormat, TensorStatistics, TensorView, ViewRange };

/** What is looked into: a file, by its absolute path, or a version of a store. */
export type ContentRef =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "model"; readonly home: string; readonly tag: string };

/** What headers say of a file or a model, without the list of its tensors; plain, cloneable data. */
export interface ContentSummary {
  readonly format: FileFormat;
  readonly bytes: number;
  readonly files: readonly InspectedFile[];
  /** Another one as soon as one of the files was written to: what was read of them is out of date. */
  readonly stamp: string;
  readonly tensorCount: number;
  /** Elements of all tensors together. */
  readonly parameters: number;
  /** Bytes of all tensors together. */
  readonly tensorBytes: number;
  readonly metadata: readonly (readonly [key: string, value: string])[];
  /** The methods that the files themselves declare. */
  readonly signatures?: Readonly<Record<string, MethodSignature>>;
  readonly onnx?: OnnxFacts;
  readonly pickle?: PickleFacts;
  readonly warnings: readonly Warning[];
}

/** The headers of a file or a model. */
export const describeContentJob: JobKey<ContentRef, ContentSummary> = { name: "content.describe" };

/** A part of the list of tensors, in file order. */
export const listTensorsJob: JobKey<
  { readonly ref: ContentRef; readonly start: number; readonly count: number },
  readonly StoredTensor[]
> = { name: "content.tensors" };

/** Reads a rectangle of at most 16,384 values, row-major. */
export const readSliceJob: JobKey<
  { readonly ref: ContentRef; readonly tensor: number; readonly view: TensorView; readonly range: ViewRange },
  readonly ShownValue[]
> = { name: "tensor.slice" };

/**
 * A view scaled down to at most `rows` x `columns` cells, each the mean of what it covers (NaN and infinities left out).
 * Of a view of more than 64 MiB only a part of the values is read: `sampled` says so.
 */
export const heatMapJob: JobKey<
  {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view: TensorView;
    readonly rows: number;
    readonly columns: number;
  },
  HeatMap
> = { name: "tensor.heatMap" };

/** Reads a whole tensor; reports bytes as progress and hears a cancel. */
export const tensorStatisticsJob: JobKey<{ readonly ref: ContentRef; readonly tensor: number }, TensorStatistics> = {
  name: "tensor.statistics",
};

/** Writes a tensor (no view), or the plane of a view, or a rectangle of it; an atomic replacement of `destination`. */
export const exportSliceJob: JobKey<
  {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view?: TensorView;
    readonly range?: ViewRange;
    readonly format: SliceFormat;
    /** Absolute. */
    readonly destination: string;
  },
  { readonly bytes: number }
> = { name: "tensor.export" };

/** The same as text, at most 1 MiB of it, for the clipboard. */
export const sliceTextJob: JobKey<
  {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view: TensorView;
    readonly range: ViewRange;
    readonly format: "csv" | "json";
  },
  string
> = { name: "tensor.text" };
