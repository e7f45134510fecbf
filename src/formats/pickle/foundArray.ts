import type { DType } from "../tensor";
import type { StorageId } from "./storages";
import type { StoredBytes } from "./storedBytes";

/** An array that stands plainly in a file: what it is, and where its elements lie. */
export interface FoundArray {
  /** Keys and numbers that lead to it from the pickled object. */
  readonly path: readonly (string | number)[];
  readonly kind: "ndarray" | "npscalar";
  /** `null` for types whose values are not read. */
  readonly dtype: DType | null;
  readonly nativeDtype: string;
  readonly shape: readonly number[];
  /** In elements, one for each dimension; may be 0 or overlap. */
  readonly strides: readonly number[];
  readonly bigEndian: boolean;
  /** Why the values that are stored are not those of the array. */
  readonly unread?: string;
  /** Where its storage is, or its bytes in the pickle's own range. */
  readonly place:
    | StoredBytes
    | {
        readonly kind: "storage";
        readonly id: StorageId;
        readonly firstElement: number;
        /** 0 where it is not known. */
        readonly itemBytes: number;
      };
}

/** An array, wherever it stands. */
export type BareArray = Omit<FoundArray, "path">;
