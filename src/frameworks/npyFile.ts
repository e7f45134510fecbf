import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Budget } from "../base/budget";
import { elementCount } from "../formats/elements";
import { openFileReader } from "../formats/fileReader";
import { readNpy, readNpyHeader } from "../formats/npy";
import type { DescribeOptions, Description } from "./adapter";

/** Largest array that is read whole for a digest. */
const MAX_DIGEST_BYTES = 2 ** 31;

/**
 * Describes an NPY file: one tensor without a name. An array of objects or of fields is a warning, not a failure.
 * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
 */
export function describeNpyFile(path: string, options: DescribeOptions = {}): Description {
  const reader = openFileReader(path);
  try {
    const header = readNpyHeader(reader, path);
    const isPlain = !header.fortranOrder || header.shape.length < 2;
    const hasDigest = options.digest === true && header.dtype !== null && header.dtype !== "string";
    const budget = new Budget(path, { bytes: MAX_DIGEST_BYTES });
    return {
      signatures: {},
      tensors: [
        {
          file: basename(path),
          name: "",
          path: [],
          kind: "ndarray",
          dtype: header.dtype,
          nativeDtype: header.descr,
          shape: header.shape,
          offset: isPlain ? header.dataStart : null,
          bytes: elementCount(header.shape) * header.itemBytes,
          ...(hasDigest
            ? {
                sha256: createHash("sha256")
                  .update(readNpy(reader, path, budget).data)
                  .digest("hex"),
              }
            : {}),
        },
      ],
      metadata: {},
      warnings:
        header.unreadable === undefined
          ? []
          : [{ code: "npy.unreadable", message: `${basename(path)}: ${header.unreadable}.`, path }],
    };
  } finally {
    reader.close();
  }
}
