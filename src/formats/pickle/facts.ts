/** What was found in a pickle, from the worst to the best; a file's verdict is the worst of its findings. */
export type PickleVerdict = "dangerous" | "code" | "unresolvable" | "unknown" | "malformed" | "opaque" | "allowed";

/** Verdicts, the worst first. */
const PICKLE_VERDICTS: readonly PickleVerdict[] = [
  "dangerous",
  "code",
  "unresolvable",
  "unknown",
  "malformed",
  "opaque",
  "allowed",
];

/** The worse of two verdicts. */
export function worseVerdict(a: PickleVerdict, b: PickleVerdict): PickleVerdict {
  return PICKLE_VERDICTS.indexOf(a) < PICKLE_VERDICTS.indexOf(b) ? a : b;
}

/** An exact name that a pickle has imported while it is loaded. */
export interface PickleImport {
  /** `null` when the pickle computes it. */
  readonly module: string | null;
  /** `null` when the pickle computes it. */
  readonly name: string | null;
  readonly class: "allowed" | "unknown" | "code" | "dangerous";
  /** Byte offset of the first use in the file, or in `member`. */
  readonly offset: number;
  /** Member of a zip container. */
  readonly member?: string;
}

/** An import in one word; what a pickle computes is said to be so. */
export function importLabel({ module, name }: Pick<PickleImport, "module" | "name">): string {
  return `${module ?? COMPUTED}.${name ?? COMPUTED}`;
}

/** Stands for a name that only loading would tell. */
export const COMPUTED = "(computed)";

/** Something that a reader of the pickle should know, with its place. */
export interface PickleFinding {
  readonly verdict: PickleVerdict;
  /** Stable, for instance `call`, `import`, `ext`, `persid`, `truncated`, `trailing`, `crc`: see `notes.ts`. */
  readonly kind: string;
  /** One sentence. */
  readonly message: string;
  /** Byte offset in the file, or in `member`. */
  readonly offset: number;
  /** Member of a zip container. */
  readonly member?: string;
}

/** The pickle block of `inspect`. */
export interface PickleFacts {
  readonly verdict: PickleVerdict;
  /** Each once, in order of first use. */
  readonly imports: readonly PickleImport[];
  readonly streams: number;
  readonly findings: readonly PickleFinding[];
}
