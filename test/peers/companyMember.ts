// Works on a store for some seconds beside others that do the same; prints one JSON line at its end.
// Arguments: home, archives, own number, milliseconds.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportModel } from "../../src/store/archive/exportModel";
import { importArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { contentOf, draftOf } from "./companyContent";

/** What a member says at its end. */
export interface CompanyReport {
  readonly saved: readonly string[];
  readonly deleted: readonly string[];
  readonly lists: number;
  /** What went wrong and was not to be expected of others working on the same store. */
  readonly unexpected: readonly string[];
}

/** Others may have been faster; everything else is a fault. */
const EXPECTED = ["model.notFound", "model.exists", "trash.notFound"];

const NAMES = ["shared", "crowded"];

class Member {
  readonly saved: string[] = [];
  readonly deleted: string[] = [];
  readonly unexpected: string[] = [];
  lists = 0;
  readonly #store: ModelStore;
  readonly #folder: string;
  readonly #number: string;
  readonly #scratch: ModelStore;

  constructor(home: string, folder: string, number: string) {
    this.#store = new ModelStore(home);
    this.#folder = join(folder, number);
    this.#number = number;
    mkdirSync(this.#folder, { recursive: true });
    this.#scratch = new ModelStore(join(this.#folder, "scratch"));
  }

  async work(milliseconds: number): Promise<CompanyReport> {
    const end = Date.now() + milliseconds;
    for (let turn = 0; Date.now() < end; turn++) {
      const name = NAMES[turn % NAMES.length] ?? "";
      await this.#attempt(() => (turn % 3 === 0 ? this.#import(name, turn) : this.#save(name, turn)));
      await this.#attempt(async () => this.#look(name));
      if (turn % 2 === 1) await this.#attempt(() => this.#deleteOne(turn));
    }
    const { saved, deleted, lists, unexpected } = this;
    return { saved, deleted, lists, unexpected };
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      if (!EXPECTED.includes(code ?? "")) this.unexpected.push(`${code}: ${message}`);
    }
  }

  async #save(name: string, turn: number): Promise<void> {
    const version = `o${this.#number}-${turn}`;
    const from = join(this.#folder, "weights.bin");
    writeFileSync(from, contentOf(`${name}:${version}`));
    await this.#store.save(draftOf(name, version), [{ from, to: "weights.bin" }]);
    this.saved.push(`${name}:${version}`);
  }

  async #import(name: string, turn: number): Promise<void> {
    const version = `o${this.#number}-${turn}`;
    const from = join(this.#folder, "weights.bin");
    writeFileSync(from, contentOf(`${name}:${version}`));
    await this.#scratch.save(draftOf(name, version), [{ from, to: "weights.bin" }]);
    const archive = join(this.#folder, `${turn}.tar`);
    await exportModel(this.#scratch, { tag: `${name}:${version}`, destination: archive });
    await importArchive(this.#store, { source: archive, onConflict: "fail" });
    this.saved.push(`${name}:${version}`);
  }

  /** What is half made must be known as such: everything that is listed as whole has to be whole. */
  #look(name: string): void {
    this.lists += 1;
    for (const { tag, path, sizeBytes } of this.#store.list().models) {
      if (tag.version.startsWith("o") && sizeBytes < contentOf(formatTag(tag)).length) {
        this.unexpected.push(`${path} is listed with ${sizeBytes} bytes`);
      }
    }
    this.#store.get(`${name}:base`);
  }

  async #deleteOne(turn: number): Promise<void> {
    const tag = this.saved.filter((saved) => !this.deleted.includes(saved))[turn % 5];
    const [name, version] = tag?.split(":") ?? [];
    if (tag === undefined || name === undefined || version === undefined) return;
    await this.#store.delete({ name, version });
    if (turn % 4 === 1) await this.#store.restore(tag);
    else this.deleted.push(tag);
  }
}

const [home = "", folder = "", number = "", milliseconds = ""] = process.argv.slice(2);
void new Member(home, folder, number).work(Number(milliseconds)).then((report) => {
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
