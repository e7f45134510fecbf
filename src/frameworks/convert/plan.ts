import type { FileFormat } from "../../formats/sniff";
import type { FileContent } from "../content";

/** What can be converted into each other. */
export type ConvertibleFormat = Extract<FileFormat, "flax-msgpack" | "safetensors">;

/** What a conversion is asked to do beyond the rule. */
export interface ConvertOptions {
  /** Leave out what the target cannot hold, instead of refusing. */
  readonly drop?: boolean | undefined;
  /** Keep leaves that are no arrays, and what is empty, as JSON in the metadata of a safetensors file. */
  readonly leaves?: boolean | undefined;
  /** Set in the metadata of a safetensors file. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** A MessagePack file whose integer keys and lists the result gets at the same places. Absolute. */
  readonly like?: string | undefined;
}

/** Something that the target cannot hold. */
export interface Dropped {
  readonly name: string;
  /** `int`, `empty_map` and so on, the dtype of an array, or `metadata`. */
  readonly kind: string;
  /** In words that follow the name. */
  readonly reason: string;
}

/** Metadata of which shards have several values, as what is left out: one value is read. @param counts by key, which do */
export function lostMetadata({ metadataConflicts = [] }: FileContent, counts: (key: string) => boolean): Dropped[] {
  return metadataConflicts
    .filter(({ key }) => counts(key))
    .map(({ key, kept, others }) => ({
      name: key,
      kind: "metadata",
      reason: `has another value in ${others.join(", ")} than in ${kept}, whose value is kept`,
    }));
}

/** Something that is there afterwards in another form. */
export interface Changed {
  /** In words. */
  readonly change: string;
  /** How many it happens to, and the names of the first of them. */
  readonly count: number;
  readonly names: readonly string[];
}

/** What a conversion would make. */
export interface ConversionPlan {
  /** The file that is converted, absolute. */
  readonly source: string;
  readonly from: ConvertibleFormat;
  readonly to: ConvertibleFormat;
  /** Arrays that are written. */
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly dropped: readonly Dropped[];
  readonly changed: readonly Changed[];
  /** The metadata of the result, when it is a safetensors file. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** A file that was converted. */
export interface Converted extends ConversionPlan {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** A plan with what is needed to carry it out. */
export interface Planned
  extends Omit<ConversionPlan, "source" | "from" | "to" | "tensorBytes" | "tensors" | "changed"> {
  readonly changed: ChangeNotes;
  /** The arrays that are written: their number in the source, and their path in the target, one segment when flat. */
  readonly arrays: readonly { readonly index: number; readonly path: readonly (string | number)[] }[];
  /** Every leaf that is written beside the arrays, as `leafJson` has it. */
  readonly leaves: readonly string[];
  /** The bytes of the result, piece by piece; a piece is valid until the next one is asked for. */
  pieces(content: FileContent): Generator<Uint8Array, void>;
}

/** Names that are listed of a change. */
const NAMED = 20;

/** Gathers changes by what they are. */
export class ChangeNotes {
  readonly #notes = new Map<string, { count: number; readonly names: string[] }>();

  add(change: string, name: string): void {
    const note = this.#notes.get(change) ?? { count: 0, names: [] };
    note.count += 1;
    if (note.names.length < NAMED) note.names.push(name);
    this.#notes.set(change, note);
  }

  /** In the order they came up first. */
  list(): Changed[] {
    return [...this.#notes].map(([change, { count, names }]) => ({ change, count, names }));
  }
}
