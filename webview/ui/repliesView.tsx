import type { VNode } from "preact";
import type { Reply, TestView } from "../protocol/views";
import { BatchPicture } from "./batchPicture";
import { usePage, useText } from "./context";
import { formatMs, formatShape, shortCell } from "./format";
import { Icon } from "./icons";
import { classOf } from "./interpret";
import { Button, Tabs } from "./kit";
import { countWords } from "./texts";

interface RepliesProps {
  readonly view: TestView;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

/** The replies of a run of several requests, or of one that was cut: as a picture of their batches and as a table. */
export function Replies(props: RepliesProps): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <div class="card">
      <Tabs
        name="replies"
        label={t("replies.view")}
        active={test.repliesView.value}
        onChange={(id) => {
          test.repliesView.value = id;
        }}
        tabs={[
          { id: "picture", text: t("replies.picture"), content: () => <BatchPicture {...props} /> },
          { id: "table", text: t("replies.table"), content: () => <RepliesTable {...props} /> },
        ]}
      />
      {props.view.replies.length > 1 ? <Stepper {...props} /> : null}
    </div>
  );
}

/** Which reply is shown below, and the way to its neighbors. */
function Stepper({ view: { replies }, chosen, onChoose }: RepliesProps): VNode {
  const t = useText();
  return (
    <div class="row stepper">
      <Button
        testId="reply-previous"
        kind="icon"
        label={t("replies.previous")}
        disabled={chosen === 0}
        onClick={() => onChoose(chosen - 1)}
      >
        <Icon name="previous" />
      </Button>
      <span role="status" data-testid="reply-at">
        {t("replies.at", chosen + 1, replies.length)}
      </span>
      <Button
        testId="reply-next"
        kind="icon"
        label={t("replies.next")}
        disabled={chosen === replies.length - 1}
        onClick={() => onChoose(chosen + 1)}
      >
        <Icon name="next" />
      </Button>
    </div>
  );
}

/** The replies, each with the batch it rode in. */
function RepliesTable({ view, chosen, onChoose }: RepliesProps): VNode {
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
              {t("replies.queue")}
            </th>
            <th scope="col" class="number">
              {t("replies.run")}
            </th>
            <th scope="col" class="number">
              {t("replies.total")}
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
              <ReplyCells reply={reply} classes={view.classes} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ReplyCells({ reply, classes }: { readonly reply: Reply | null; readonly classes: readonly string[] }): VNode {
  const { locale } = usePage();
  const t = useText();
  if (!reply || reply.error) return <td colSpan={5}>{reply?.error?.message ?? t("replies.pending")}</td>;
  const { batchId, batches, batchSize, batchRequests, queueMs, batchMs, runMs } = reply;
  return (
    <>
      <td>{answerText(reply, classes)}</td>
      <td>
        {batches > 1
          ? t("replies.splitText", batches, batchSize)
          : t(
              "replies.batchText",
              batchId,
              countWords(t, locale.value, "replies.rows", batchSize),
              countWords(t, locale.value, "batches.requests", batchRequests),
            )}
      </td>
      {[queueMs, runMs, queueMs + batchMs + runMs].map((ms, at) => (
        <td class="number" key={at}>
          {formatMs(ms)}
        </td>
      ))}
    </>
  );
}

/** Longest JSON that stands in a table as it is, in characters. */
const SHORT_JSON = 40;

function answerText({ outputs }: Reply, classes: readonly string[]): string {
  const [first] = outputs;
  if (!first) return "";
  const { plain } = first;
  if (plain?.kind === "table") return `${first.name} ${formatShape([plain.count, plain.columns.length])}`;
  if (plain) return plain.text.length <= SHORT_JSON ? plain.text : `${plain.text.slice(0, SHORT_JSON)}…`;
  const [value] = first.values;
  if (first.values.length !== 1 || value === undefined) return `${first.name} ${formatShape(first.shape)}`;
  const name = classOf(first.dtype, value, classes);
  return [shortCell(first.dtype, value), name].filter((part) => part !== undefined).join(" ");
}
