import { createHash } from "node:crypto";
import { ModelbenchError } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { elementCount, itemSize } from "../formats/elements";
import type { TensorData } from "../formats/tensorData";
import { type BesideFile, replaceFileBeside } from "../store/archive/beside";
import { paced } from "../store/pace";
import { type HeatMap, heatMap } from "../tensors/heatMap";
import { planePieces } from "../tensors/planePieces";
import { type ShownValue, shownLeaf, shownValues } from "../tensors/shownValues";
import { type SliceFormat, sliceFile } from "../tensors/sliceFile";
import { measure, readsToMeasure, type TensorStatistics } from "../tensors/statistics";
import { type Plane, planeOf, type TensorView, type ViewRange } from "../tensors/view";
import type { FileContent, StoredTensor } from "./content";
import type { ContentRef, ContentSummary } from "./contentJobs";
import { ContentPool, type OpenedContent } from "./contentPool";

/** Most values of one slice. */
const MAX_SLICE = 16_384;

/** Most cells of a heat map. */
const MAX_CELLS = 1 << 18;
/** Longest text for the clipboard. */
const MAX_TEXT_BYTES = 1 << 20;

/** The contents that the jobs of this process share. */
export const contents = new ContentPool();

/** The work behind `describeContentJob`. @throws ModelbenchError those of `openContent` and `ModelStore.get` */
export function runDescribeContent(ref: ContentRef): Promise<ContentSummary> {
  return contents.lend(ref, summaryOf);
}

function summaryOf({ content, format, bytes, files, state }: OpenedContent): ContentSummary {
  const tensors = content.tensors.filter(({ dtype }) => dtype !== null);
  return {
    format,
    bytes,
    files,
    stamp: createHash("sha256").update(state).digest("base64url"),
    tensorCount: content.tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    tensorBytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
    metadata: [...content.metadata],
    ...(content.signatures && { signatures: content.signatures }),
    ...(content.onnx && { onnx: content.onnx }),
    ...(content.pickle && { pickle: content.pickle }),
    warnings: content.warnings,
  };
}

/** The work behind `listTensorsJob`. */
export function runListTensors(input: {
  readonly ref: ContentRef;
  readonly start: number;
  readonly count: number;
}): Promise<readonly StoredTensor[]> {
  return contents.lend(input.ref, ({ content }) => content.tensors.slice(input.start, input.start + input.count));
}

/**
 * The work behind `readSliceJob`; a leaf that is no array is one value, whatever the rectangle.
 * @throws ModelbenchError `input.shape` for a rectangle outside the tensor, `budget.exceeded` for one of too many values,
 *   those of `FileContent.data`
 */
export function runReadSlice(
  input: {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view: TensorView;
    readonly range: ViewRange;
  },
  options: JobOptions = {},
): Promise<readonly ShownValue[]> {
  const { rowCount, columnCount } = input.range;
  return contents.lend(input.ref, ({ content }) => {
    const leaf = content.tensors[input.tensor]?.dtype === null ? content.leaf?.(input.tensor) : undefined;
    if (leaf !== undefined) return [shownLeaf(leaf)];
    const data = dataOf(content, input.tensor);
    const plane = planeOf(data.shape, input.view, input.range);
    if (rowCount * columnCount > MAX_SLICE) {
      throw new ModelbenchError("budget.exceeded", `A slice has at most ${MAX_SLICE} values.`);
    }
    return paced(slice(data, plane), undefined, options);
  });
}

function* slice(data: TensorData, plane: Plane): Generator<number, ShownValue[]> {
  const shown: ShownValue[] = [];
  for (const piece of planePieces(data, plane)) {
    shown.push(...shownValues(piece));
    yield piece.data.length;
  }
  return shown;
}

/** The work behind `heatMapJob`. @throws ModelbenchError those of `heatMap` and `FileContent.data`, `cancelled` */
export async function runHeatMap(
  input: {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view: TensorView;
    readonly rows: number;
    readonly columns: number;
  },
  options: JobOptions,
): Promise<HeatMap> {
  if (!(input.rows >= 1 && input.columns >= 1 && input.rows * input.columns <= MAX_CELLS)) {
    throw new ModelbenchError("budget.exceeded", `A heat map has at most ${MAX_CELLS} cells.`);
  }
  return contents.lend(input.ref, ({ content }) => {
    const data = dataOf(content, input.tensor);
    return paced(heatMap(data, input.view, Math.floor(input.rows), Math.floor(input.columns)), undefined, options);
  });
}

/** The work behind `tensorStatisticsJob`. @throws ModelbenchError those of `FileContent.data`, `cancelled` */
export function runTensorStatistics(
  { ref, tensor }: { readonly ref: ContentRef; readonly tensor: number },
  options: JobOptions,
): Promise<TensorStatistics> {
  return contents.lend(ref, ({ content }) => {
    const data = dataOf(content, tensor);
    const bytes = elementCount(data.shape) * (itemSize(data.dtype) ?? 0);
    return paced(measure(data), bytes * readsToMeasure(data.dtype), options);
  });
}

/**
 * The work behind `exportSliceJob`. A failure or a cancel leaves the destination as it was.
 * @throws ModelbenchError `file.access`, `cancelled`, those of `sliceFile` and `FileContent.data`
 */
export function runExportSlice(
  input: {
    readonly ref: ContentRef;
    readonly tensor: number;
    readonly view?: TensorView;
    readonly range?: ViewRange;
    readonly format: SliceFormat;
    readonly destination: string;
  },
  { signal, onProgress }: JobOptions,
): Promise<{ readonly bytes: number }> {
  return contents.lend(input.ref, async ({ content }) => {
    const pieces = sliceFile(dataOf(content, input.tensor), input.format, input.view, input.range);
    const fill = async (file: BesideFile): Promise<void> => {
      for (const piece of pieces) {
        await file.append(piece);
        onProgress?.({ doneBytes: file.bytes });
      }
    };
    return { bytes: await replaceFileBeside(input.destination, fill, signal) };
  });
}

/** The work behind `sliceTextJob`. @throws ModelbenchError `budget.exceeded` above 1 MiB, those of `sliceFile` */
export function runSliceText(input: {
  readonly ref: ContentRef;
  readonly tensor: number;
  readonly view: TensorView;
  readonly range: ViewRange;
  readonly format: "csv" | "json";
}): Promise<string> {
  return contents.lend(input.ref, ({ content }) => {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const piece of sliceFile(dataOf(content, input.tensor), input.format, input.view, input.range)) {
      parts.push(piece);
      bytes += piece.length;
      if (bytes > MAX_TEXT_BYTES) {
        const remedy = "Select fewer values, or export them to a file.";
        throw new ModelbenchError("budget.exceeded", "The text of these values is longer than 1 MiB.", { remedy });
      }
    }
    return Buffer.concat(parts).toString("utf8");
  });
}

/** The values of a listed tensor. @throws ModelbenchError `tensor.unreadable` also for a leaf without a dtype */
export function dataOf(content: FileContent, index: number): TensorData {
  const tensor = content.tensors[index];
  if (!tensor)
    throw new ModelbenchError("internal", `There is no tensor ${index}; ${content.tensors.length} are listed.`);
  if (tensor.dtype === null) {
    const name = tensor.name === "" ? tensor.file : tensor.name;
    throw new ModelbenchError(
      "tensor.unreadable",
      `${name} is of type ${tensor.nativeDtype}: it has no values to show.`,
    );
  }
  return content.data(index);
}
