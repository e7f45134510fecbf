import type { OutputView, PlainValue, Reply } from "../../../webview/protocol/views";

/** Longest text the history keeps of one answer, in characters. */
const MAX_SUMMARY = 120;

/** One line about a reply for the history and for screen readers: the first output, with its class name. */
export function summarize(reply: Reply, classes: readonly string[]): string {
  if (reply.error) return shorten(reply.error.message);
  const [first] = reply.outputs;
  return first ? shorten(`${first.name}: ${valueText(first, classes)}`) : "";
}

function valueText(output: OutputView, classes: readonly string[]): string {
  if (output.plain) return plainText(output.plain);
  const [value] = output.values;
  const isSingle = output.values.length === 1 && !output.pageable && value !== undefined;
  if (!isSingle) return `${output.dtype} [${output.shape.join(", ")}]`;
  const name = /^u?int/.test(output.dtype) ? classes[Number(value)] : undefined;
  return name === undefined ? String(value) : `${value} ${name}`;
}

/** JSON on one line, a table by its size. */
function plainText(plain: PlainValue): string {
  if (plain.kind === "table") return `DataFrame [${plain.count}, ${plain.columns.length}]`;
  return plain.text.slice(0, 10 * MAX_SUMMARY).replace(/\n */g, " ");
}

function shorten(text: string): string {
  return text.length > MAX_SUMMARY ? `${text.slice(0, MAX_SUMMARY - 1)}…` : text;
}
