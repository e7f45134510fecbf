import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Draft, DraftState, Drafts, MethodView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { DType } from "../../formats/tensor";
import { type DraftReading, mendDrafts, startingDrafts } from "./draftInputs";
import type { KeptTest } from "./testMemory";

/** What is known about a model before it runs. */
export interface Drafted {
  readonly tag: string;
  readonly methods: readonly MethodView[];
  /** JSON text of a valid example by method and input. */
  readonly examples: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What numbers become where nothing is declared: the framework's own choice. */
  readonly numbers: DType;
}

/** The chosen method and what the user entered for each method, with the files they picked. */
export class TestDrafts {
  readonly #model: Drafted;
  readonly #byMethod: Map<string, Drafts>;
  readonly #files: Map<string, string>;
  #method: string;

  constructor(model: Drafted, kept: Pick<KeptTest, "method" | "drafts" | "files"> | undefined) {
    this.#model = model;
    this.#byMethod = new Map(Object.entries(kept?.drafts ?? {}));
    this.#files = new Map(Object.entries(kept?.files ?? {}));
    const known = model.methods.some(({ name }) => name === kept?.method);
    this.#method = (known ? kept?.method : model.methods[0]?.name) ?? "";
  }

  /** The chosen method with its drafts; every declared input has one. */
  state(): DraftState {
    const method = this.#model.methods.find(({ name }) => name === this.#method);
    if (!method) return { tag: this.#model.tag, method: "", drafts: {} };
    const starting = startingDrafts(method, this.#model.examples[method.name] ?? {});
    const drafts = mendDrafts(method, this.#byMethod.get(method.name), starting);
    return { tag: this.#model.tag, method: method.name, drafts };
  }

  /** The declaration of a method. @throws ModelbenchError `method.notFound` */
  method(name: string): MethodView {
    const found = this.#model.methods.find((method) => method.name === name);
    if (!found)
      throw new ModelbenchError("method.notFound", `${this.#model.tag} has no method ${JSON.stringify(name)}.`);
    return found;
  }

  /** Chooses a method. @throws ModelbenchError `method.notFound` */
  choose(name: string): void {
    this.#method = this.method(name).name;
  }

  /** Chooses a method and what its inputs hold; no drafts = back to the example. @throws ModelbenchError `method.notFound` */
  put(name: string, drafts: Drafts | undefined): void {
    this.choose(name);
    if (drafts) this.#byMethod.set(name, drafts);
    else this.#byMethod.delete(name);
  }

  /** Remembers a file that the user picked and answers with its handle. @throws an I/O error when it is gone */
  async addFile(path: string): Promise<NonNullable<Draft["file"]>> {
    const { size } = await stat(path);
    const id = randomUUID();
    this.#files.set(id, path);
    return { id, name: basename(path), bytes: size };
  }

  /** How the drafts are read. */
  get reading(): DraftReading {
    return { pathOf: (id) => this.pathOf(id), numbers: this.#model.numbers };
  }

  /** The path behind a handle. */
  pathOf(id: string): string | undefined {
    return this.#files.get(id);
  }

  /** What outlives the window. */
  kept(): Pick<KeptTest, "method" | "drafts" | "files"> {
    return {
      method: this.#method,
      drafts: Object.fromEntries(this.#byMethod),
      files: Object.fromEntries(this.#files),
    };
  }
}
