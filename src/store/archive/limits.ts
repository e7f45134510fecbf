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

/** Far above any model we have seen, far below what hurts. */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  members: 10_000,
  expandedBytes: 8 * 1024 ** 3,
  ratio: 200,
  ratioAfterBytes: 64 * 1024 ** 2,
  modelYamlBytes: 1024 ** 2,
};
