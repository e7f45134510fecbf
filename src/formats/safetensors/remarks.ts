import type { Warning } from "../../base/errors";

/** What a header may have although no writer puts it there; each kind is one warning code. */
export type RemarkKind = "space" | "field" | "metadata" | "name" | "bool";

/** Gathers remarks, one warning a kind: a hostile header has a million of them. */
export class Remarks {
  readonly #path: string;
  readonly #found = new Map<RemarkKind, { readonly first: string; readonly offset: number; count: number }>();

  constructor(path: string) {
    this.#path = path;
  }

  /** @param first what it is, said of the first of its kind @param offset in the file */
  add(kind: RemarkKind, first: string, offset: number): void {
    const found = this.#found.get(kind);
    if (found) found.count++;
    else this.#found.set(kind, { first, offset, count: 1 });
  }

  /** One a kind, in the order of their first ones. */
  warnings(): Warning[] {
    return [...this.#found].map(([kind, { first, offset, count }]) => {
      const more = count === 1 ? "" : `, and ${count - 1} more such places`;
      const message = `${this.#path}: has ${first}, at byte ${offset}${more}.`;
      return { code: `safetensors.${kind}`, message, path: this.#path, offset };
    });
  }
}
