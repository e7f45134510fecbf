import { workspace } from "vscode";
import { ARCHIVE_LIMITS } from "../store/archive/limits";
import type { GroupBy, Settings, SortBy } from "./services";

const GIB = 1024 ** 3;

const ORDERS: readonly SortBy[] = ["created", "name", "size"];

/** The settings as they are now; a value of the wrong kind counts as its default. */
export function readSettings(): Settings {
  const values = workspace.getConfiguration("modelbench");
  const sortBy = values.get<string>("tree.sortBy");
  return {
    maxBatchSize: within(values.get<unknown>("batching.maxBatchSize"), 1, 1024, 32),
    maxLoaded: within(values.get<unknown>("runner.maxLoaded"), 1, 16, 2),
    idleUnloadMinutes: within(values.get<unknown>("runner.idleUnloadMinutes"), 0, 1440, 10),
    importLimits: {
      members: within(values.get<unknown>("import.maxMembers"), 1, 1_000_000, ARCHIVE_LIMITS.members),
      expandedBytes: within(values.get<unknown>("import.maxExpandedGiB"), 0.001, 65_536, 8) * GIB,
      ratio: within(values.get<unknown>("import.maxRatio"), 1, 100_000, ARCHIVE_LIMITS.ratio),
    },
    trashDays: within(values.get<unknown>("trash.days"), 0, 365, 7),
    sortBy: ORDERS.find((order) => order === sortBy) ?? "created",
    groupBy: groupsOf(values.get<unknown>("tree.groupBy")),
    python: {
      interpreter: textOf(values.get<unknown>("python.interpreter")),
      paths: textsOf(values.get<unknown>("python.paths")),
      preload: textsOf(values.get<unknown>("python.preload")),
    },
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf).filter((text) => text !== "") : [];
}

function groupsOf(value: unknown): GroupBy {
  if (value === "framework" || value === "none") return value;
  const [, key] = /^label:(.+)$/s.exec(String(value)) ?? [];
  return key === undefined ? "name" : `label:${key}`;
}

function within(value: unknown, least: number, most: number, otherwise: number): number {
  if (typeof value !== "number" || !Number.isFinite(value)) return otherwise;
  return Math.min(most, Math.max(least, value));
}
