import type { FileFormat } from "../../formats/sniff";
import { placedPath } from "../placedPath";
import type { Side } from "./side";

/** Where a tensor is in its file. */
export interface Place {
  /** Within one notation other paths are other places; between two, `a/b` of a tree is `a.b` of a flat list. */
  readonly notation: Notation;
  /** Every key with its type and whether it is a place in a list. */
  readonly key: string;
}

type Notation = Exclude<FileFormat, "flax-msgpack">;

/** The places of all tensors of a side. @throws ModelbenchError as `FileContent.leaf` */
export function placesOf({ content, files, format }: Side): Place[] {
  const formats = new Map(files.map((file) => [file.path, file.format]));
  return content.tensors.map(({ file }, index) => ({
    notation: notationOf(formats.get(file) ?? format),
    key: JSON.stringify(placedPath(content, index)),
  }));
}

function notationOf(format: FileFormat): Notation {
  return format === "flax-msgpack" ? "msgpack" : format;
}
