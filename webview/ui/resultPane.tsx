import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Reply, TestView } from "../protocol/views";
import { usePage, useText } from "./context";
import { EngineNotes } from "./engineSettings";
import { ErrorBox } from "./errorBox";
import { formatMs } from "./format";
import { Icon } from "./icons";
import { Button } from "./kit";
import { OutputCard } from "./outputCard";
import { Replies } from "./repliesView";
import type { Translate } from "./texts";

/** What became of the last run. */
export function ResultPane({ view }: { readonly view: TestView }): VNode {
  const t = useText();
  const [chosen, setChosen] = useState(0);
  const index = Math.min(chosen, Math.max(0, view.replies.length - 1));
  const reply = view.replies[index];
  return (
    <section class="column" aria-label={t("test.result")} aria-busy={view.phase === "running"} data-testid="result">
      <div class="column-head">
        <h2>{t("test.result")}</h2>
      </div>
      <PhaseLine view={view} />
      {isBatched(view) ? <Replies view={view} chosen={index} onChoose={setChosen} /> : null}
      {reply ? <ReplyBody view={view} reply={reply} index={index} /> : null}
      <EngineNotes engine={view.engine} />
    </section>
  );
}

/** Whether there is more to see of batches than a line can say. */
function isBatched({ replies }: TestView): boolean {
  return replies.length > 1 || replies.some((reply) => reply !== null && reply.batches > 1);
}

/** What is going on, or how it ended when that was not an answer. */
function PhaseLine({ view }: { readonly view: TestView }): VNode | null {
  const { test } = usePage();
  const t = useText();
  const blocked = test.blocked.value;
  const done = view.replies.filter((reply) => reply !== null).length;
  switch (view.phase) {
    case "idle":
      return (
        <div class="empty" data-testid="ready">
          <p class="empty-title">{blocked === undefined ? t("test.ready") : t("test.notYet")}</p>
          <p>{blocked === undefined ? t("test.readyHint") : t(`${blocked}.blocked`)}</p>
        </div>
      );
    case "loading":
      return (
        <Progress text={view.python ? t("engine.loading") : t("test.loading")} isTimed>
          <Button testId="cancel" onClick={() => void test.stop()}>
            {t("test.cancel")}
          </Button>
        </Progress>
      );
    case "running":
      return <Progress text={view.copies > 1 ? t("test.runningMany", done, view.copies) : t("test.running")} />;
    case "cancelled":
      return (
        <p class="quiet" data-testid="cancelled">
          {t("test.cancelled")}
        </p>
      );
    case "failed":
      return view.error ? <ErrorBox title={t("test.failedTitle")} error={view.error} testId="failure" /> : null;
    case "crashed":
      return view.error ? (
        <ErrorBox title={t("test.crashedTitle")} error={view.error} testId="crash">
          <Button testId="restart" kind="primary" onClick={() => void test.restart()}>
            {t("test.restart")}
          </Button>
        </ErrorBox>
      ) : null;
    case "done":
      return null;
  }
}

function Progress(props: {
  readonly text: string;
  /** Whether the seconds are counted, for what may take many of them. */
  readonly isTimed?: boolean;
  readonly children?: ComponentChildren;
}): VNode {
  const { text, isTimed = false, children } = props;
  const t = useText();
  const seconds = useSeconds(isTimed);
  return (
    <div class="progress" data-testid="progress">
      <span class="spinner" aria-hidden="true" />
      <span role="status">{text}</span>
      {seconds < 2 ? null : (
        <span class="quiet" aria-hidden="true">
          {t("engine.seconds", seconds)}
        </span>
      )}
      {children}
    </div>
  );
}

/** Whole seconds since it was drawn first. */
function useSeconds(isTimed: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!isTimed) return;
    const begun = performance.now();
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - begun) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [isTimed]);
  return seconds;
}

function ReplyBody(props: { readonly view: TestView; readonly reply: Reply; readonly index: number }): VNode | null {
  const { view, reply, index } = props;
  const t = useText();
  if (reply.error) return view.replies.length > 1 ? <ErrorBox error={reply.error} testId="reply-error" /> : null;
  return (
    <div class="stack-small">
      {reply.outputs.length === 0 && reply.unfetchable.length === 0 ? <p class="quiet">{t("result.none")}</p> : null}
      {reply.outputs.map((output) => (
        <OutputCard key={output.name} output={output} reply={index} classes={view.classes} tag={view.tag} />
      ))}
      {reply.unfetchable.map(({ name, reason }) => (
        <p class="notice" key={name} data-testid={`unfetchable-${name}`}>
          <Icon name="warning" />
          <span>{t("result.unfetchable", name, reason)}</span>
        </p>
      ))}
      <p class="timing" data-testid="timing">
        {timingText(reply, t)}
      </p>
    </div>
  );
}

/** `queue 0.2 · batch 0.1 · run 2.6 ms · rode in batch #3 of 8 rows · cpu`. */
function timingText(reply: Reply, t: Translate): string {
  const parts = [
    ...(reply.loadMs > 0 ? [t("timing.load", formatMs(reply.loadMs))] : []),
    t("timing.queue", formatMs(reply.queueMs)),
    t("timing.batch", formatMs(reply.batchMs)),
    t("timing.run", formatMs(reply.runMs)),
    ...(reply.batchSize > 0 ? [rideText(reply, t)] : []),
    reply.device,
  ];
  return parts.join(" · ");
}

/** `rode in batch #3 of 8 rows`, or into how many batches a request too large for one was cut. */
function rideText({ batches, batchId, batchSize }: Reply, t: Translate): string {
  if (batches > 1) return t("timing.split", batches, batchSize);
  return batchSize === 1 ? t("timing.rodeOne", batchId) : t("timing.rode", batchId, batchSize);
}
