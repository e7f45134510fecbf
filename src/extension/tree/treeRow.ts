import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { visible } from "../../base/visible";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { frameworkFacts } from "../frameworkFacts";
import type { StoreSnapshot } from "../liveListing";
import type { Localize, OpenStore, RunRefusal, StoreId } from "../services";
import {
  type BrokenNode,
  type NameNode,
  type NoteNode,
  nodeId,
  type RootNode,
  type TreeNode,
  totalBytes,
  type VersionNode,
} from "./treeModel";
import { longAge, markdownText, shortAge } from "./words";

/** How a row looks: everything `TreeItem` needs, as plain data. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Markdown in which everything from the store is escaped; empty = none. */
  readonly tooltip: string;
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

/** What rows are drawn with. */
export interface RowContext {
  readonly t: Localize;
  readonly nowMs: number;
  /** The user's home folder, shown as `~`. */
  readonly userHome: string;
  readonly snapshot: (store: StoreId) => StoreSnapshot | undefined;
  readonly store: (id: StoreId) => Pick<OpenStore, "kind" | "label"> | undefined;
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
    case "broken":
      return brokenRow(node, context);
    case "note":
      return noteRow(node, context);
  }
}

/** Folder of a store with the user's home as `~`. */
export function shortPath(path: string, userHome: string): string {
  return path === userHome || path.startsWith(`${userHome}/`) ? `~${path.slice(userHome.length)}` : path;
}

/**
 * `latest · onnx · 5.81 KiB · 2d`: what tree and pickers say of a version beside its name. What keeps it from running
 * comes first, because a narrow tree cuts the end.
 */
export function versionDescription(summary: ModelSummary, t: Localize, nowMs: number): string {
  const facts = frameworkFacts(t, summary.module);
  const age = shortAge(t, summary.creationMs, nowMs);
  const remark = facts.remark === undefined ? [] : [facts.remark];
  const latest = summary.isLatest ? [t("latest")] : [];
  return visible([...remark, ...latest, facts.label, humanSize(summary.sizeBytes), age].join(" · "));
}

function rootRow(node: RootNode, { t, userHome, snapshot, store }: RowContext): Row {
  const { kind, label } = store(node.store) ?? { kind: "home", label: node.store };
  const sample = kind === "sample";
  const home = shortPath(snapshot(node.store)?.home ?? "", userHome);
  const about = sample ? t("temporary copy") : home;
  return {
    id: nodeId(node),
    label: visible(label),
    description: visible(about),
    tooltip: lines([
      ...(sample ? [markdownText(t("A temporary copy to try things out; your own store is left alone."))] : []),
      markdownText(snapshot(node.store)?.home ?? ""),
    ]),
    contextValue: `root ${kind}`,
    icon: sample ? "beaker" : "database",
    warns: false,
    expandable: true,
    spoken: `${visible(label)}, ${visible(about)}`,
  };
}

function nameRow(node: NameNode, { t, snapshot }: RowContext): Row {
  const entry = snapshot(node.store)?.names.get(node.name);
  const models = entry?.models ?? [];
  const broken = entry?.broken.filter((item) => !item.beingWritten).length ?? 0;
  const size = humanSize(totalBytes(models));
  const versions = models.length === 1 ? t("1 version") : t("{0} versions", models.length);
  const faults = broken > 0 ? [t("{0} cannot be read", broken)] : [];
  const counted = models.length > 0;
  const facts = [...(counted ? [versions, size] : []), ...faults];
  return {
    id: nodeId(node),
    label: visible(node.name),
    description: [...(counted ? [String(models.length), size] : []), ...faults].join(" · "),
    tooltip: lines([`**${markdownText(node.name)}**`, markdownText(facts.join(", "))]),
    contextValue: "name",
    icon: counted || broken === 0 ? "package" : "warning",
    warns: !counted && broken > 0,
    expandable: true,
    spoken: [visible(node.name), ...facts].join(", "),
  };
}

function versionRow(node: VersionNode, context: RowContext): Row {
  const { t, nowMs } = context;
  const { summary } = node;
  const facts = frameworkFacts(t, summary.module);
  const refusal = context.refusal(summary.module, node.store);
  const remark = facts.cannotRun === undefined ? [] : [facts.cannotRun];
  const latest = summary.isLatest ? [t("latest")] : [];
  const size = humanSize(summary.sizeBytes);
  const flags = ["version", ...facts.flags.filter((flag) => flag !== "runnable" || !refusal)];
  return {
    id: nodeId(node),
    label: visible(summary.tag.version),
    description: versionDescription(summary, t, nowMs),
    tooltip: versionTooltip(node, refusal?.reason ?? facts.cannotRun, context),
    contextValue: [...flags, ...(summary.isLatest ? ["latest"] : [])].join(" "),
    icon: summary.warnings.length > 0 ? "warning" : "tag",
    warns: summary.warnings.length > 0,
    expandable: false,
    spoken: [
      t("{0} version {1}", summary.tag.name, summary.tag.version),
      ...latest,
      facts.label,
      size,
      t("saved {0}", longAge(t, summary.creationMs, nowMs)),
      ...remark,
      ...summary.warnings.map((warning) => warning.message),
    ]
      .map((words) => visible(words))
      .join(", "),
  };
}

function versionTooltip(node: VersionNode, cannotRun: string | undefined, { t, nowMs }: RowContext): string {
  const { summary } = node;
  const fact = (label: string, value: string): string => `${markdownText(label)} ${markdownText(value)}`;
  const saved = `${localTime(summary.creationMs)} (${longAge(t, summary.creationMs, nowMs)})`;
  return lines([
    `**${markdownText(node.tag)}**${summary.isLatest ? ` · ${markdownText(t("latest"))}` : ""}`,
    fact(t("Framework:"), summary.module === "" ? t("no framework") : summary.module),
    fact(t("Size:"), humanSize(summary.sizeBytes)),
    fact(t("Saved:"), saved),
    fact(t("Folder:"), summary.path),
    ...(cannotRun === undefined ? [] : [fact(t("Test:"), cannotRun)]),
    ...summary.warnings.map((warning) => fact(t("Warning:"), warning.message)),
  ]);
}

function brokenRow({ item, store }: BrokenNode, { t }: RowContext): Row {
  const label = visible(item.version ?? item.name);
  const reason = item.beingWritten ? t("being written") : visible(reasonOf(item));
  const remedy = item.beingWritten || item.error.remedy === undefined ? [] : [item.error.remedy];
  const flags = item.version === undefined ? ["broken"] : ["broken", "inside"];
  return {
    id: nodeId({ kind: "broken", item, store }),
    label,
    description: reason,
    tooltip: lines([`**${markdownText(label)}**`, ...[reason, ...remedy, item.path].map(markdownText)]),
    contextValue: item.beingWritten ? "writing" : flags.join(" "),
    icon: item.beingWritten ? "loading~spin" : "warning",
    warns: !item.beingWritten,
    expandable: false,
    spoken: item.beingWritten ? `${label}, ${reason}` : t("{0} cannot be read: {1}", label, reason),
  };
}

/** The message without the folder it begins with: the row stands for that folder. */
function reasonOf({ error, path }: BrokenItem): string {
  return error.message.startsWith(path) ? error.message.slice(path.length).replace(/^[/:\s]+/, "") : error.message;
}

function noteRow(node: NoteNode, { t }: RowContext): Row {
  const text = {
    loading: t("Reading the store…"),
    empty: t("No models yet"),
    failed: t("The store cannot be read"),
  }[node.note];
  const reason = visible(node.error?.message ?? "");
  return {
    id: nodeId(node),
    label: text,
    description: reason,
    tooltip: markdownText(reason),
    contextValue: "note",
    icon: { loading: "loading~spin", empty: "info", failed: "warning" }[node.note],
    warns: node.note === "failed",
    expandable: false,
    spoken: reason === "" ? text : `${text}: ${reason}`,
  };
}

/** Lines of a Markdown text that stay lines. */
function lines(parts: readonly string[]): string {
  return parts.join("  \n");
}
