/** What an archive may hold; the rules for names are in `memberPath.ts` and are not to be loosened. */
export interface ArchiveLimits {
  readonly members: number;
  /** Sum of all contents, in bytes. */
  readonly expandedBytes: number;
  /** Expanded over packed bytes, once more than `ratioAfterBytes` have come out. */
  readonly ratio: number;
  readonly ratioAfterBytes: number;
  readonly modelYamlBytes: number;
}

/** The limits that a user may choose. */
export type SettableLimits = Omit<ArchiveLimits, "modelYamlBytes">;

/** Far above any model we have seen, far below what hurts. */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  members: 10_000,
  expandedBytes: 8 * 1024 ** 3,
  ratio: 200,
  ratioAfterBytes: 64 * 1024 ** 2,
  modelYamlBytes: 1024 ** 2,
};

/** The limits that hold for one import: what was chosen, else the usual. */
export function limitsWith(chosen: Partial<SettableLimits> | undefined): ArchiveLimits {
  return { ...ARCHIVE_LIMITS, ...chosen };
}

/** What helps who trusts an archive that a limit refuses: the setting and the command line's option. */
export function limitRemedy(limit: "members" | "expandedBytes" | "ratio"): string {
  const [setting, option] = NAMES[limit];
  return `If you trust it, raise the setting ${setting}, or in a terminal ${option}.`;
}

const NAMES = {
  members: ["modelbench.import.maxMembers", "--max-members"],
  expandedBytes: ["modelbench.import.maxExpandedGiB", "--max-bytes"],
  ratio: ["modelbench.import.maxRatio", "--max-ratio"],
} as const;
