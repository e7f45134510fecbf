import type { VNode } from "preact";
import type { Reply, TestView } from "../protocol/views";
import { useText } from "./context";
import { formatMs, formatShape, shortCell } from "./format";
import { classOf } from "./interpret";
import { Button } from "./kit";

/** The replies of a run of several requests, each with the batch it rode in; one of them is shown below. */
export function RepliesTable(props: {
  readonly view: TestView;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}): VNode {
  const { view, chosen, onChoose } = props;
  const t = useText();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="table-scroll table-short" tabIndex={0} aria-label={t("replies.title")}>
      <table class="table replies" data-testid="replies">
        <thead>
          <tr>
            <th scope="col">{t("replies.request")}</th>
            <th scope="col">{t("replies.answer")}</th>
            <th scope="col">{t("replies.batch")}</th>
            <th scope="col" class="number">
              ms
            </th>
          </tr>
        </thead>
        <tbody>
          {view.replies.map((reply, index) => (
            <tr key={index} data-testid={`reply-${index}`} class={index === chosen ? "chosen" : ""}>
              <td>
                <Button
                  testId={`show-reply-${index}`}
                  kind="icon"
                  label={t("replies.show", index + 1)}
                  onClick={() => onChoose(index)}
                >
                  {index === chosen ? "▸ " : ""}
                  {index + 1}
                </Button>
              </td>
              <td>{reply ? answerText(reply, view.classes) : t("replies.pending")}</td>
              <td>
                {reply && !reply.error
                  ? reply.batches > 1
                    ? t("replies.splitText", reply.batches, reply.batchSize)
                    : t("replies.batchText", reply.batchId, reply.batchSize, reply.batchRequests)
                  : ""}
              </td>
              <td class="number">
                {reply && !reply.error ? formatMs(reply.queueMs + reply.batchMs + reply.runMs) : ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function answerText(reply: Reply, classes: readonly string[]): string {
  if (reply.error) return reply.error.message;
  const [first] = reply.outputs;
  if (!first) return "";
  const [value] = first.values;
  if (first.values.length !== 1 || value === undefined) return `${first.name} ${formatShape(first.shape)}`;
  const name = classOf(first.dtype, value, classes);
  return [shortCell(first.dtype, value), name].filter((part) => part !== undefined).join(" ");
}
