import { type HeaderSpan, LENGTH_BYTES, type SafetensorsHeader } from "./header";
import { headerBytes, metadataMember } from "./writer";

/**
 * A header with other metadata and everything else as it is, unknown fields and the order of the tensors included: what
 * comes before the data in the new file.
 * @param text the old header, as it stands behind its length
 * @param metadata left out of the new header when it is empty
 * @throws ModelbenchError `budget.exceeded` above 100 MB, `input.name` for text that is not Unicode
 */
export function headerWithMetadata(
  text: Uint8Array,
  { metadataSpan, dataStart }: SafetensorsHeader,
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const bytes = Buffer.from(text.buffer, text.byteOffset, dataStart - LENGTH_BYTES);
  const open = bytes.indexOf("{");
  const close = bytes.lastIndexOf("}");
  const span = metadataSpan ?? { start: close, end: close };
  const others = membersAround(bytes, span, open, close);
  const members = [...(metadata.size > 0 ? [metadataMember(metadata)] : []), ...others];
  return headerBytes(`{${members.join(",")}}`);
}

/** The members before and behind a span, without the commas that parted them from it. */
function membersAround(bytes: Buffer, span: HeaderSpan, open: number, close: number): string[] {
  const before = bytes
    .toString("utf8", open + 1, span.start)
    .trim()
    .replace(/,$/, "");
  const behind = bytes.toString("utf8", span.end, close).trim().replace(/^,/, "");
  return [before, behind].filter((members) => members.trim() !== "");
}
