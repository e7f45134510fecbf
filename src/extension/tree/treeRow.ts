import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { visible } from "../../base/visible";
import type { StoreAccess } from "../../store/access";
import type { ModelSummary } from "../../store/model";
import type { ModelVerdict } from "../../store/pickleVerdicts";
import { frameworkFacts } from "../frameworkFacts";
import type { Localize, OpenStore, RunRefusal, StoreId } from "../services";
import { type PickleState, pickleRemark, pickleState, verdictWords } from "../verdictWords";
import { type Arrangement, labelKey } from "./arrange";
import {
  type BrokenNode,
  type GroupNode,
  type MoreNode,
  type NameNode,
  type NoteNode,
  nodeId,
  type RootNode,
  type TreeNode,
  totalBytes,
  type VersionNode,
} from "./treeModel";
import { longAge, markdownText, shortAge, withoutPath } from "./words";

/** How a row looks: everything `TreeItem` needs, as plain data. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Markdown in which everything from the store is escaped; empty = none. Made only when it is asked for. */
  readonly tooltip: () => string;
  /** Flags separated by spaces, matched by the menus. */
  readonly contextValue: string;
  /** Codicon id. */
  readonly icon: string;
  /** Colours the icon as a warning. */
  readonly warns: boolean;
  readonly expandable: boolean;
  /** What a screen reader says in place of label and description. */
  readonly spoken: string;
}

/** What is told of a store. */
export interface StoreFacts extends Pick<OpenStore, "kind" | "label" | "from"> {
  /** What can be done with it; `undefined` = not known yet. */
  readonly access?: StoreAccess | undefined;
}

/** What rows are drawn with. */
export interface RowContext {
  readonly t: Localize;
  readonly nowMs: number;
  /** The user's home folder, shown as `~`. */
  readonly userHome: string;
  readonly arrangement: Arrangement;
  readonly store: (id: StoreId) => StoreFacts | undefined;
  /** What the pickles of a version hold, as far as that is known; `undefined` where there are none. */
  readonly verdict?: ((node: VersionNode) => ModelVerdict | undefined) | undefined;
  /** Why a model may not run now. */
  readonly refusal: (module: string, store: StoreId) => RunRefusal | undefined;
}

/** The row of a node. */
export function rowOf(node: TreeNode, context: RowContext): Row {
  switch (node.kind) {
    case "root":
      return rootRow(node, context);
    case "name":
      return nameRow(node, context);
    case "version":
      return versionRow(node, context);
    case "group":
      return groupRow(node, context);
    case "broken":
      return brokenRow(node, context);
    case "note":
      return noteRow(node, context);
    case "more":
      return moreRow(node, context);
  }
}

/** Folder of a store with the user's home as `~`. */
export function shortPath(path: string, userHome: string): string {
  return path === userHome || path.startsWith(`${userHome}/`) ? `~${path.slice(userHome.length)}` : path;
}

/**
 * `latest · onnx · 5.81 KiB · 2d`: what tree and pickers say of a version beside its name. What keeps it from running
 * and what is dangerous come first, because a narrow tree cuts the end.
 */
export function versionDescription(
  summary: ModelSummary,
  t: Localize,
  nowMs: number,
  isPinned = false,
  verdict?: ModelVerdict,
): string {
  const facts = frameworkFacts(t, summary.module);
  const age = shortAge(t, summary.creationMs, nowMs);
  const remark = facts.remark === undefined ? [] : [facts.remark];
  const latest = summary.isLatest ? [t("latest")] : [];
  const pinned = isPinned ? [t("pinned")] : [];
  const pickle = verdict ? [pickleRemark(t, verdict)] : [];
  const [loud, quiet] = verdict?.verdict === "dangerous" ? [pickle, []] : [[], pickle];
  const size = humanSize(summary.sizeBytes);
  return visible([...remark, ...loud, ...latest, ...pinned, facts.label, ...quiet, size, age].join(" · "));
}

/** What is said of a store beside its folder: why it is this one, and that nothing can be written. */
export function storeRemarks(facts: StoreFacts | undefined, t: Localize): string[] {
  return [...(facts?.from ? [facts.from] : []), ...(facts?.access === "readOnly" ? [t("read-only")] : [])];
}

function rootRow(node: RootNode, { t, userHome, arrangement, store }: RowContext): Row {
  const facts: StoreFacts = store(node.store) ?? { kind: "home", label: node.store };
  const { kind, label } = facts;
  const sample = kind === "sample";
  const folder = arrangement.state.snapshots.get(node.store)?.home ?? "";
  const home = shortPath(folder, userHome);
  const about = [sample ? t("temporary copy") : home, ...storeRemarks(facts, t)].join(" · ");
  const isLocked = facts.access === "readOnly";
  return {
    id: nodeId(node),
    label: visible(label),
    description: visible(about),
    tooltip: () =>
      lines([
        ...(sample ? [markdownText(t("A temporary copy to try things out; your own store is left alone."))] : []),
        markdownText(folder),
        ...(facts.from ? [markdownText(t("Chosen {0}.", facts.from))] : []),
        ...(isLocked ? [markdownText(t("Nothing can be written here."))] : []),
      ]),
    contextValue: `root ${kind}${isLocked ? " readonly" : ""}`,
    icon: isLocked ? "lock" : sample ? "beaker" : "database",
    warns: false,
    expandable: true,
    spoken: `${visible(label)}, ${visible(about)}`,
  };
}

function nameRow(node: NameNode, { t, arrangement }: RowContext): Row {
  const entry = arrangement.state.snapshots.get(node.store)?.names.get(node.name);
  const models = arrangement.versions(node);
  const { accepts } = arrangement.state;
  const faulty = entry?.broken.filter((item) => !item.beingWritten && (!accepts || accepts.broken(item)));
  const broken = faulty?.length ?? 0;
  const faults = broken > 0 ? [t("{0} cannot be read", broken)] : [];
  const counted = models.length > 0;
  const { short, long } = counts(models, entry?.models.length ?? 0, t);
  const facts = [...(counted ? long : []), ...faults];
  return {
    id: nodeId(node),
    label: visible(node.name),
    description: entry?.pending ? t("not read yet") : [...(counted ? short : []), ...faults].join(" · "),
    tooltip: () => lines([`**${markdownText(node.name)}**`, markdownText(facts.join(", "))]),
    contextValue: ["name", ...(broken > 0 ? ["fixable"] : [])].join(" "),
    icon: counted || broken === 0 ? "package" : "warning",
    warns: !counted && broken > 0,
    expandable: true,
    spoken: [visible(node.name), ...(entry?.pending ? [t("not read yet")] : facts)].join(", "),
  };
}

function groupRow(node: GroupNode, { t, arrangement }: RowContext): Row {
  const { groupBy } = arrangement.state;
  const isLabel = groupBy !== "framework";
  const label = node.value === undefined ? t("No label {0}", labelKey(groupBy)) : node.value || t("(empty)");
  const models = arrangement.versions(node);
  const { short, long } = counts(models, models.length, t);
  const what = isLabel && node.value !== undefined ? `${labelKey(groupBy)}=${node.value}` : label;
  return {
    id: nodeId(node),
    label: visible(label),
    description: short.join(" · "),
    tooltip: () => lines([`**${markdownText(what)}**`, markdownText(long.join(", "))]),
    contextValue: "group",
    icon: isLabel ? "symbol-constant" : "symbol-namespace",
    warns: false,
    expandable: true,
    spoken: [visible(what), ...long].join(", "),
  };
}

/** `2 · 11.81 KiB`, or `1 of 2 · 5.81 KiB` where a filter leaves some out; and the same in words. */
function counts(models: readonly ModelSummary[], all: number, t: Localize) {
  const size = humanSize(totalBytes(models));
  if (models.length < all) {
    return {
      short: [t("{0} of {1}", models.length, all), size],
      long: [t("{0} of {1} versions", models.length, all), size],
    };
  }
  const versions = models.length === 1 ? t("1 version") : t("{0} versions", models.length);
  return { short: [String(models.length), size], long: [versions, size] };
}

function versionRow(node: VersionNode, context: RowContext): Row {
  const { t, nowMs } = context;
  const { summary } = node;
  const isPinned = context.arrangement.state.pins.get(node.store)?.has(node.tag) === true;
  const facts = frameworkFacts(t, summary.module);
  const refusal = context.refusal(summary.module, node.store);
  const remark = facts.cannotRun === undefined ? [] : [facts.cannotRun];
  const latest = summary.isLatest ? [t("latest")] : [];
  const pinned = isPinned ? [t("pinned")] : [];
  const size = humanSize(summary.sizeBytes);
  const warned = summary.warnings.length > 0;
  const verdict = context.verdict?.(node);
  const flags = [
    ...["version", ...facts.flags.filter((flag) => flag !== "runnable" || !refusal)],
    ...(summary.isLatest ? ["latest"] : []),
    ...(isPinned ? ["pinned"] : []),
    ...(warned ? ["fixable"] : []),
  ];
  return {
    id: nodeId(node),
    label: visible(node.alone ? node.tag : summary.tag.version),
    description: versionDescription(summary, t, nowMs, isPinned, verdict),
    tooltip: () => versionTooltip(node, isPinned, refusal?.reason ?? facts.cannotRun, verdict, context),
    contextValue: flags.join(" "),
    icon: warned ? "warning" : isPinned ? "pinned" : verdict ? PICKLE_ICONS[pickleState(verdict.verdict)] : "tag",
    warns: warned || verdict?.verdict === "dangerous",
    expandable: false,
    spoken: [
      t("{0} version {1}", summary.tag.name, summary.tag.version),
      ...latest,
      ...pinned,
      facts.label,
      ...(verdict ? [verdictWords(t, verdict)] : []),
      size,
      t("saved {0}", longAge(t, summary.creationMs, nowMs)),
      ...remark,
      ...summary.warnings.map((warning) => warning.message),
    ]
      .map((words) => visible(words))
      .join(", "),
  };
}

/** No state has an icon that approves. */
const PICKLE_ICONS: Readonly<Record<PickleState, string>> = {
  "known types": "tag",
  "runs code": "code",
  "dangerous or cannot tell": "workspace-unknown",
};

function versionTooltip(
  node: VersionNode,
  isPinned: boolean,
  cannotRun: string | undefined,
  verdict: ModelVerdict | undefined,
  { t, nowMs }: RowContext,
): string {
  const { summary } = node;
  const fact = (label: string, value: string): string => `${markdownText(label)} ${markdownText(value)}`;
  const saved = `${localTime(summary.creationMs)} (${longAge(t, summary.creationMs, nowMs)})`;
  return lines([
    `**${markdownText(node.tag)}**${summary.isLatest ? ` · ${markdownText(t("latest"))}` : ""}`,
    fact(t("Framework:"), summary.module === "" ? t("no framework") : summary.module),
    fact(t("Size:"), humanSize(summary.sizeBytes)),
    fact(t("Saved:"), saved),
    fact(t("Folder:"), summary.path),
    ...(isPinned ? [markdownText(t("Pinned: no clean-up takes it."))] : []),
    ...(verdict ? [fact(t("Pickle:"), verdictWords(t, verdict))] : []),
    ...(cannotRun === undefined ? [] : [fact(t("Test:"), cannotRun)]),
    ...summary.warnings.map((warning) => fact(t("Warning:"), warning.message)),
  ]);
}

function brokenRow(node: BrokenNode, { t }: RowContext): Row {
  const { item } = node;
  const inside = node.alone ? `${item.name}:${item.version}` : item.version;
  const label = visible(item.version === undefined ? item.name : (inside ?? ""));
  const reason = item.beingWritten ? t("being written") : visible(withoutPath(item.error.message, item.path));
  // The row above says the name, but is not read out with this one.
  const spokenTag = visible(item.version === undefined ? item.name : t("{0} version {1}", item.name, item.version));
  const remedy = item.beingWritten || item.error.remedy === undefined ? [] : [item.error.remedy];
  const flags = ["broken", ...(item.version === undefined ? [] : ["inside"]), "fixable"];
  return {
    id: nodeId(node),
    label,
    description: reason,
    tooltip: () => lines([`**${markdownText(label)}**`, ...[reason, ...remedy, item.path].map(markdownText)]),
    contextValue: item.beingWritten ? "writing" : flags.join(" "),
    icon: item.beingWritten ? "loading~spin" : "warning",
    warns: !item.beingWritten,
    expandable: false,
    spoken: item.beingWritten ? `${spokenTag}, ${reason}` : t("{0} cannot be read: {1}", spokenTag, reason),
  };
}

function noteRow(node: NoteNode, { t, arrangement, store }: RowContext): Row {
  const text = {
    loading: t("Reading the store…"),
    empty: store(node.store)?.access === "missing" ? t("This folder does not exist yet") : t("No models yet"),
    unmatched: t("Clear Filter"),
    failed: t("The store cannot be read"),
  }[node.note];
  const filter = visible(arrangement.state.accepts?.text ?? "");
  const nothing = node.note === "unmatched" ? t('nothing matches "{0}"', filter) : undefined;
  const reason = nothing ?? visible(node.error?.message ?? "");
  return {
    id: nodeId(node),
    label: text,
    description: reason,
    tooltip: () => markdownText(reason),
    contextValue: "note",
    icon: { loading: "loading~spin", empty: "info", unmatched: "clear-all", failed: "warning" }[node.note],
    warns: node.note === "failed",
    expandable: false,
    spoken: reason === "" ? text : `${text}: ${reason}`,
  };
}

function moreRow(node: MoreNode, { t }: RowContext): Row {
  const label = t("Show more…");
  const hidden = t("{0} not shown", node.hidden);
  return {
    id: nodeId(node),
    label,
    description: hidden,
    tooltip: () => "",
    contextValue: "more",
    icon: "ellipsis",
    warns: false,
    expandable: false,
    spoken: `${label} ${hidden}`,
  };
}

/** Lines of a Markdown text that stay lines. */
function lines(parts: readonly string[]): string {
  return parts.join("  \n");
}
