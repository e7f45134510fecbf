import { ModelbenchError } from "../base/errors";
import { elementCount } from "../formats/elements";
import type { TensorData } from "../formats/tensorData";
import { type ShownValue, shownValues } from "../tensors/shownValues";
import { planeOf, readPlane, type TensorView, type ViewRange } from "../tensors/view";
import type { FileContent, StoredTensor } from "./content";
import type { ContentRef, ContentSummary } from "./contentJobs";
import { ContentPool, type OpenedContent } from "./contentPool";

/** Most values of one slice. */
const MAX_SLICE = 16_384;

/** The contents that the jobs of this process share. */
export const contents = new ContentPool();

/** The work behind `describeContentJob`. @throws ModelbenchError those of `openContent` and `ModelStore.get` */
export function runDescribeContent(ref: ContentRef): Promise<ContentSummary> {
  return contents.lend(ref, summaryOf);
}

function summaryOf({ content, format, bytes, files }: OpenedContent): ContentSummary {
  const tensors = content.tensors.filter(({ dtype }) => dtype !== null);
  return {
    format,
    bytes,
    files,
    tensorCount: content.tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    tensorBytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
    metadata: Object.entries(content.metadata),
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
 * The work behind `readSliceJob`.
 * @throws ModelbenchError `input.shape` for a rectangle outside the tensor, `budget.exceeded` for one of too many values,
 *   those of `FileContent.data`
 */
export function runReadSlice(input: {
  readonly ref: ContentRef;
  readonly tensor: number;
  readonly view: TensorView;
  readonly range: ViewRange;
}): Promise<readonly ShownValue[]> {
  const { rowCount, columnCount } = input.range;
  return contents.lend(input.ref, ({ content }) => {
    const data = dataOf(content, input.tensor);
    const plane = planeOf(data.shape, input.view, input.range);
    if (rowCount * columnCount > MAX_SLICE) {
      throw new ModelbenchError("budget.exceeded", `A slice has at most ${MAX_SLICE} values.`);
    }
    return shownValues(readPlane(data, plane));
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
