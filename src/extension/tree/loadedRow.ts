import { visible } from "../../base/visible";
import type { RunningModel } from "../runningModel";
import type { Localize, ModelRef } from "../services";
import type { LoadedState } from "../sessions";
import type { Row } from "./treeRow";
import { markdownText, withoutPath } from "./words";

/** A row of the view of loaded models: it names its model, and how it was drawn. */
export interface LoadedNode extends ModelRef {
  readonly kind: "loaded";
  readonly row: Row;
}

/** A loaded model with what was measured of it. */
export interface MeasuredModel extends RunningModel {
  /** Resident bytes of its process and everything that started; `undefined` = not known. */
  readonly bytes: number | undefined;
}

/** What rows of loaded models are drawn with. */
export interface LoadedRowContext {
  readonly t: Localize;
  readonly nowMs: number;
  /** Says which store a model is from, where several are open. */
  readonly storeLabel: (model: ModelRef) => string | undefined;
}

const ICONS: Readonly<Record<LoadedState, string>> = {
  warm: "clock",
  loading: "loading~spin",
  ready: "circuit-board",
  busy: "sync~spin",
  failed: "error",
};

/** A reason may be long, and is told whole. */
const MAX_SPOKEN = 1000;

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Up to here the time left is told in minutes. */
const MINUTES_AT_MOST_MS = 2 * HOUR_MS;

/**
 * How a loaded model looks. What it is doing and what it costs come first, because a narrow view cuts the end, and what
 * stays the same comes last.
 */
export function loadedRow(model: MeasuredModel, context: LoadedRowContext): Row {
  const { store, tag } = model.ref;
  const name = visible(tag);
  const facts = factsOf(model, context);
  return {
    id: `${store} ${tag}`,
    label: name,
    description: visible(
      facts
        .map(({ short }) => short)
        .filter(Boolean)
        .join(" · "),
    ),
    tooltip: () => [`**${markdownText(name)}**`, ...facts.map(({ long }) => markdownText(long))].join("  \n"),
    contextValue: `loaded ${model.state}`,
    icon: ICONS[model.state],
    warns: model.state === "failed",
    expandable: false,
    spoken: visible([name, ...facts.map(({ long }) => long)].join(", "), MAX_SPOKEN),
  };
}

/** A fact as the row says it, and as tooltips and screen readers do. */
interface Fact {
  /** Empty where the row's icon says it. */
  readonly short: string;
  readonly long: string;
}

function factsOf(model: MeasuredModel, { t, nowMs, storeLabel }: LoadedRowContext): Fact[] {
  const from = storeLabel(model.ref);
  return [
    stateFact(model, t),
    ...(model.state === "failed" ? [] : runFacts(model, t, nowMs)),
    ...(from === undefined ? [] : [same(from)]),
  ];
}

function stateFact({ failure, ref, state }: RunningModel, t: Localize): Fact {
  if (state === "loading") return same(t("loading"));
  if (state === "warm") return { short: t("started"), long: t("its Python is started, the model is not loaded yet") };
  if (state === "ready") return { short: "", long: t("ready") };
  if (state === "busy") return same(t("busy"));
  const reason = withoutPath(failure?.message ?? "", ref.tag);
  const remedy = failure?.remedy === undefined ? "" : ` ${failure.remedy}`;
  return { short: t("failed: {0}", reason), long: `${t("failed: {0}", reason)}${remedy}` };
}

function runFacts(
  { answered, bytes, device, state, unloadsAtMs, waiting }: MeasuredModel,
  t: Localize,
  nowMs: number,
): Fact[] {
  const memory = bytes === undefined ? [] : [roughSize(bytes)];
  return [
    ...(waiting === 0 ? [] : [{ short: t("{0} waiting", waiting), long: waitingWords(t, waiting) }]),
    ...memory.map((size) => ({ short: size, long: t("{0} of memory", size) })),
    ...(unloadsAtMs === undefined ? [] : [timeLeft(t, unloadsAtMs - nowMs)]),
    { short: device, long: t("device: {0}", device) },
    ...((state === "loading" || state === "warm") && answered === 0 ? [] : [answeredFact(t, answered)]),
  ];
}

function answeredFact(t: Localize, answered: number): Fact {
  const long = answered === 1 ? t("1 request answered") : t("{0} requests answered", answered);
  return { short: t("{0} answered", answered), long };
}

function waitingWords(t: Localize, waiting: number): string {
  return waiting === 1 ? t("1 request waits for its answer") : t("{0} requests wait for their answers", waiting);
}

/** Whole MiB, or GiB with one decimal: more would change with every look. */
function roughSize(bytes: number): string {
  return bytes < GIB ? `${Math.round(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`;
}

/** Rounded up, so that the last minute is told as one. */
function timeLeft(t: Localize, leftMs: number): Fact {
  if (leftMs <= MINUTE_MS) return same(t("unloads within a minute"));
  if (leftMs > MINUTES_AT_MOST_MS) return same(t("unloads in {0} h", Math.ceil(leftMs / HOUR_MS)));
  const minutes = Math.ceil(leftMs / MINUTE_MS);
  return { short: t("unloads in {0} min", minutes), long: t("unloads in {0} minutes", minutes) };
}

function same(text: string): Fact {
  return { short: text, long: text };
}
