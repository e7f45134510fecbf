import { itemSize } from "../formats/elements";
import type { Tensor } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";
import { GAP_BYTES, type Plane, partOf, readPlane } from "./view";

/** Bytes of values read at once from a run. */
const PIECE_BYTES = 1 << 18;
/** Bytes of rows read at once where each column is a read of its own. */
const BAND_BYTES = 1 << 24;
/** Most reads from one piece to the next: each may have to wait for the disk. */
const MAX_READS = 256;

/**
 * The values of a plane, row-major, by parts, so that neither memory nor the time between two of them grows with it;
 * some are empty.
 * @throws ModelbenchError those of `TensorData.read`
 */
export function* planePieces(data: TensorData, plane: Plane): Generator<Tensor, void> {
  const size = itemSize(data.dtype);
  const { rows, columns, rowStride, columnStride } = plane;
  if (size === undefined) {
    // Texts are in memory, and found by a walk from the first on.
    yield readPlane(data, plane);
    return;
  }
  if (rowStride < columnStride && rows > 1 && rowStride * size <= GAP_BYTES) {
    yield* turnedPieces(data, plane, size);
    return;
  }
  const most = columnStride * size <= GAP_BYTES ? PIECE_BYTES / size : MAX_READS;
  const columnsAtOnce = Math.max(1, Math.min(columns, Math.floor(most)));
  const rowsAtOnce = columnsAtOnce < columns ? 1 : Math.max(1, Math.min(MAX_READS, Math.floor(most / columnsAtOnce)));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const some = Math.min(rowsAtOnce, rows - row);
    for (let column = 0; column < columns; column += columnsAtOnce) {
      yield readPlane(data, partOf(plane, row, some, column, Math.min(columnsAtOnce, columns - column)));
    }
  }
}

/**
 * Where the values of a column lie together, each read is one of a column, and of as many rows as memory allows. A band
 * of them is put together from parts, with an empty piece after each of them to let others have their turn.
 */
function* turnedPieces(data: TensorData, plane: Plane, size: number): Generator<Tensor> {
  const { rows, columns } = plane;
  const { dtype } = data;
  const rowsAtOnce = Math.max(1, Math.floor(BAND_BYTES / (columns * size)));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const some = Math.min(rowsAtOnce, rows - row);
    const band = new Uint8Array(some * columns * size);
    for (let column = 0; column < columns; column += MAX_READS) {
      const wide = Math.min(MAX_READS, columns - column);
      const part = readPlane(data, partOf(plane, row, some, column, wide)).data;
      for (let i = 0; i < some; i++) {
        band.set(part.subarray(i * wide * size, (i + 1) * wide * size), (i * columns + column) * size);
      }
      yield { dtype, shape: [0], data: band.subarray(0, 0) };
    }
    yield { dtype, shape: [some * columns], data: band };
  }
}
