// biome-ignore-all lint/a11y/useKeyWithClickEvents: by keyboard a reply is chosen below the picture and in the table
// biome-ignore-all lint/a11y/noStaticElementInteractions: the picture is one image to assistive technology
import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Reply, TestView } from "../protocol/views";
import { batchesOf, type FormedBatch, layOut, sizesOf, timeScale, timesOf } from "./batches";
import { usePage, useText } from "./context";
import { formatMs } from "./format";
import { countWords, type Translate } from "./texts";

/** Heights in pixels. */
const BLOCK = 26;
const SPACE = 10;
const AXIS = 18;
/** Below this height of a row, borders would cover what they are around. */
const LEAST_BORDERED = 14;
/** Room for the numbers of requests, in pixels. */
const GUTTER = 26;
/** About the width of a character of a label, and what a block needs beside its label, in pixels. */
const CHARACTER = 7;
const PADDING = 12;
/** Width that is drawn for before it is known, in pixels. */
const FIRST_WIDTH = 300;

const PARTS = ["queue", "batch", "run"] as const;

/** What formed of several requests: the batches by their size, and where each request's time went. */
export function BatchPicture(props: {
  readonly view: TestView;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}): VNode {
  const { view, chosen, onChoose } = props;
  const { locale } = usePage();
  const t = useText();
  const [box, width] = useWidth();
  const batches = batchesOf(view.replies);
  const summary = summaryOf(view.replies, batches, t, locale.value);
  const rowHeight = view.replies.length <= 16 ? 18 : view.replies.length <= 32 ? 11 : 7;
  const top = batches.length === 0 ? 0 : BLOCK + SPACE;
  const height = top + view.replies.length * rowHeight + AXIS;
  const choose = (event: MouseEvent): void => {
    const { currentTarget } = event;
    if (!(currentTarget instanceof SVGElement)) return;
    const row = Math.floor((event.clientY - currentTarget.getBoundingClientRect().top - top) / rowHeight);
    if (row >= 0 && row < view.replies.length) onChoose(row);
  };
  return (
    <figure class="batches">
      <div ref={box}>
        <svg
          class={rowHeight < LEAST_BORDERED ? "batches-picture batches-thin" : "batches-picture"}
          width={width}
          height={height}
          role="img"
          aria-label={summary}
          data-testid="batches"
          onClick={choose}
        >
          <Blocks batches={batches} width={width} chosen={chosen} />
          <Bars view={view} batches={batches} chosen={chosen} {...{ top, rowHeight, width }} />
        </svg>
      </div>
      <figcaption class="stack-small">
        <span class="batches-legend" aria-hidden="true">
          {PARTS.map((part) => (
            <span class="with-icon" key={part}>
              <svg width="14" height="10" aria-hidden="true">
                <rect class={`batches-${part}`} x="0.5" width="13" {...barOf(part, 10)} />
              </svg>
              {t(`batches.legend.${part}`)}
            </span>
          ))}
        </span>
        <span class="quiet" data-testid="batches-summary">
          {summary}
        </span>
      </figcaption>
    </figure>
  );
}

/** The batches one after the other, as wide as they are large. */
function Blocks(props: {
  readonly batches: readonly FormedBatch[];
  readonly width: number;
  readonly chosen: number;
}): VNode {
  const { batches, width, chosen } = props;
  const { locale } = usePage();
  const t = useText();
  const places = layOut(batches, width - 2);
  return (
    <g>
      {batches.map((batch, at) => {
        const { x, width: own } = places[at] ?? { x: 0, width: 0 };
        const label = [
          `${t("batches.number", batch.id)} · ${sizeText(batch, t, locale.value)}`,
          sizeText(batch, t, locale.value),
          t("batches.number", batch.id),
          String(batch.rows),
        ].find((text) => text.length * CHARACTER + PADDING <= own);
        return (
          <g key={batch.id} class={batch.riders.includes(chosen) ? "batches-block batches-chosen" : "batches-block"}>
            <title>{blockTitle(batch, t, locale.value)}</title>
            <rect x={x + 1} y={1} width={Math.max(1, own)} height={BLOCK - 2} rx={own > 8 ? 2 : 0} />
            {label === undefined ? null : (
              <text x={x + 1 + own / 2} y={BLOCK / 2} text-anchor="middle" dominant-baseline="central">
                {label}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

/** A bar for each request on one scale of time, and the scale. */
function Bars(props: {
  readonly view: TestView;
  readonly batches: readonly FormedBatch[];
  readonly chosen: number;
  readonly top: number;
  readonly rowHeight: number;
  readonly width: number;
}): VNode {
  const { view, batches, chosen, top, rowHeight, width } = props;
  const { replies } = view;
  const t = useText();
  const totals = replies.map((reply) => (reply && !reply.error ? timesOf(reply).reduce((a, b) => a + b, 0) : 0));
  const scale = timeScale(Math.max(...totals));
  const end = scale.at(-1) ?? 1;
  const room = width - GUTTER - 2;
  const place = (ms: number): number => GUTTER + (ms / end) * room;
  const bottom = top + replies.length * rowHeight;
  // Numbers that would overlap are left out.
  const every = Math.ceil(14 / rowHeight);
  const shown = scale.length * 52 <= room ? scale : [0, end];
  return (
    <g>
      {scale.map((ms) => (
        <line key={ms} class="batches-tick" x1={place(ms)} x2={place(ms)} y1={top} y2={bottom} />
      ))}
      {replies.map((reply, index) => {
        const y = top + index * rowHeight;
        return (
          <g key={index} class={index === chosen ? "batches-row batches-chosen" : "batches-row"}>
            <title>{rowTitle(reply, index, t)}</title>
            <rect class="batches-hit" x={0} y={y} width={width} height={rowHeight} />
            {index % every === 0 ? (
              <text x={GUTTER - 6} y={y + rowHeight / 2} text-anchor="end" dominant-baseline="central">
                {index + 1}
              </text>
            ) : null}
            <Bar reply={reply} y={y} height={rowHeight} place={place} failed={t("replies.failed")} />
          </g>
        );
      })}
      <Partings replies={replies} batches={batches} {...{ top, rowHeight, width }} />
      {shown.map((ms) => (
        <text
          key={ms}
          x={place(ms)}
          y={bottom + AXIS - 4}
          text-anchor={ms === 0 ? "start" : ms === end ? "end" : "middle"}
        >
          {ms === end ? t("batches.ms", formatMs(ms)) : formatMs(ms)}
        </text>
      ))}
    </g>
  );
}

function Bar(props: {
  readonly reply: Reply | null;
  readonly y: number;
  readonly height: number;
  readonly place: (ms: number) => number;
  readonly failed: string;
}): VNode | null {
  const { reply, y, height, place, failed } = props;
  if (!reply) return null;
  if (reply.error) {
    if (height < 12) return <rect class="batches-error" x={GUTTER} y={y + 1} width={12} height={height - 2} />;
    return (
      <text class="batches-failed" x={GUTTER + 2} y={y + height / 2} dominant-baseline="central">
        {failed}
      </text>
    );
  }
  let begun = 0;
  return (
    <>
      {timesOf(reply).map((ms, at) => {
        const part = PARTS[at] ?? "run";
        const x = place(begun);
        begun += ms;
        const { y: inset, height: own } = barOf(part, height - 2);
        return ms === 0 ? null : (
          <rect key={part} class={`batches-${part}`} x={x} y={y + 1 + inset} width={place(begun) - x} height={own} />
        );
      })}
    </>
  );
}

/** Waiting is drawn thinner than work, so that the parts differ by more than their colors. */
function barOf(part: (typeof PARTS)[number], height: number): { readonly y: number; readonly height: number } {
  const inset = part === "queue" ? Math.max(1, Math.round(height * 0.3)) : 0;
  return { y: inset, height: Math.max(1, height - 2 * inset) };
}

/** A line wherever the next request rode in another batch. */
function Partings(props: {
  readonly replies: readonly (Reply | null)[];
  readonly batches: readonly FormedBatch[];
  readonly top: number;
  readonly rowHeight: number;
  readonly width: number;
}): VNode | null {
  const { replies, batches, top, rowHeight, width } = props;
  if (batches.length < 2 || batches.length === replies.length) return null;
  const ends = replies.flatMap((reply, index) => {
    const before = replies[index - 1];
    return reply && before && reply.batchId !== before.batchId ? [index] : [];
  });
  return (
    <g>
      {ends.map((index) => {
        const y = top + index * rowHeight;
        return <line key={index} class="batches-parting" x1={0} x2={width} y1={y} y2={y} />;
      })}
    </g>
  );
}

function sizeText(batch: FormedBatch, t: Translate, locale: string): string {
  if (batch.rows === 0) return countWords(t, locale, "batches.requests", batch.requests);
  const rows = countWords(t, locale, "replies.rows", batch.rows);
  return batch.isExact ? rows : t("batches.upTo", rows);
}

function blockTitle(batch: FormedBatch, t: Translate, locale: string): string {
  if (!batch.isExact) return t("batches.blockCut", batch.id, countWords(t, locale, "replies.rows", batch.rows));
  const requests = countWords(t, locale, "batches.requests", batch.requests);
  return t("batches.block", batch.id, sizeText(batch, t, locale), requests);
}

function rowTitle(reply: Reply | null, index: number, t: Translate): string {
  if (!reply) return `${index + 1}: ${t("replies.pending")}`;
  if (reply.error) return `${index + 1}: ${reply.error.message}`;
  const [queue, batch, run] = timesOf(reply);
  return t("batches.bar", index + 1, formatMs(queue), formatMs(batch), formatMs(run));
}

/** What the picture shows, in words: `8 requests in 2 batches of 1 row, 7 rows; queue 0.2 to 3.1 ms, run 2.6 ms`. */
function summaryOf(
  replies: readonly (Reply | null)[],
  batches: readonly FormedBatch[],
  t: Translate,
  locale: string,
): string {
  const answered = replies.filter((reply) => reply !== null && !reply.error) as Reply[];
  const failed = replies.filter((reply) => reply?.error).length;
  const pending = replies.filter((reply) => reply === null).length;
  const requests = countWords(t, locale, "batches.requests", answered.length);
  const formed = t("batches.formed", requests, countWords(t, locale, "batches.count", batches.length));
  const sizes = sizesOf(batches).map(({ batch, count }) => {
    const size = sizeText(batch, t, locale);
    return count === 1 || count === batches.length ? size : t("batches.sizesOf", count, size);
  });
  const range = (values: readonly number[]): string => {
    const [low, high] = [formatMs(Math.min(...values)), formatMs(Math.max(...values))];
    return low === high ? low : t("batches.range", low, high);
  };
  const times = t(
    "batches.waited",
    range(answered.map(({ queueMs }) => queueMs)),
    range(answered.map(({ runMs }) => runMs)),
  );
  const isShared = batches.some(({ requests: all, riders }) => all > riders.length);
  const parts = [
    ...(answered.length === 0 ? [] : [`${formed} ${t("batches.sizes", sizes.join(", "))}`, times]),
    ...(failed === 0 ? [] : [t("batches.failed", failed)]),
    ...(pending === 0 ? [] : [t("batches.pending", pending)]),
  ];
  return `${parts.join("; ")}.${isShared ? ` ${t("batches.others")}` : ""}`;
}

/** The width of an element in pixels, followed. */
function useWidth(): [{ readonly current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(FIRST_WIDTH);
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const measure = (): void => {
      if (current.clientWidth > 0) setWidth(current.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
