import { signal } from "@preact/signals";
import type { TensorRow } from "../protocol/content";
import type { ArchiveMemberView, ArchiveNewsView, FileView } from "../protocol/file";
import type { PagePeer } from "../protocol/pagePeer";
import { failureOf } from "./editState";
import type { Loadable } from "./pageState";

/** What a look into an archive has found so far. */
export type ArchiveLook = Omit<ArchiveNewsView, "rows" | "cursor">;

/** The tensors of the member that was chosen last. */
export interface MemberTensors {
  readonly member: number;
  readonly tensors: readonly TensorRow[];
}

/** The file that the page is about, and what passes of it when it is an archive. */
export class FileState {
  readonly file = signal<Loadable<FileView>>({ state: "loading" });
  /** Left out before the first answer. */
  readonly archive = signal<ArchiveLook | undefined>(undefined);
  /** In the archive's order. */
  readonly members = signal<readonly ArchiveMemberView[]>([]);
  readonly chosen = signal<MemberTensors | undefined>(undefined);
  readonly #peer: PagePeer;
  #following: AbortController | undefined;
  #asked = 0;
  /** Which look `members` are of, and how much of it. */
  #look = 0;
  #cursor = 0;

  constructor(peer: PagePeer) {
    this.#peer = peer;
  }

  /** Asks again what is known of the file. */
  async reload(): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    const next = await this.#peer.request("file/info", {}).then(
      (value): Loadable<FileView> => ({ state: "ready", value }),
      (error): Loadable<FileView> => ({ state: "failed", error: failureOf(error) }),
    );
    if (asked === this.#asked) this.file.value = next;
    // A look that has ended is told once more: the file may not be the one that it was about.
    if (this.archive.value && this.archive.value.state !== "reading") void this.follow();
  }

  /** Follows the look into the archive until it has ended. */
  async follow(): Promise<void> {
    this.#following?.abort();
    const following = new AbortController();
    this.#following = following;
    for (;;) {
      const from = { look: this.#look, cursor: this.#cursor };
      const news = await this.#peer.request("archive/look", from, following.signal).catch(() => undefined);
      if (!news || this.#following !== following) return;
      this.#take(news);
      if (news.state !== "reading") return;
    }
  }

  /** Ends the look; what was found stays. */
  stop(): void {
    this.#peer.request("archive/stop", {}).catch(() => undefined);
  }

  /** Looks into the archive once more. */
  async again(): Promise<void> {
    await this.#peer.request("archive/again", {}).catch(() => undefined);
    await this.follow();
  }

  /** Reads the names of a member's tensors. */
  async choose(member: number): Promise<void> {
    this.chosen.value = { member, tensors: [] };
    const answer = await this.#peer.request("archive/tensors", { member }).catch(() => undefined);
    if (answer && this.chosen.value?.member === member) this.chosen.value = { member, ...answer };
  }

  /** The page is about something else now, or about nothing. */
  reset(): void {
    this.#following?.abort();
    this.#following = undefined;
    this.file.value = { state: "loading" };
    this.archive.value = undefined;
    this.members.value = [];
    this.chosen.value = undefined;
    this.#look = 0;
    this.#cursor = 0;
  }

  #take({ rows, cursor, ...look }: ArchiveNewsView): void {
    const isNew = look.look !== this.#look;
    this.#look = look.look;
    this.#cursor = cursor;
    const members = isNew ? [] : [...this.members.value];
    for (const { index, member } of rows) members[index] = member;
    if (isNew) this.chosen.value = undefined;
    // The model is told once.
    this.archive.value = { ...look, model: look.model ?? (isNew ? null : (this.archive.value?.model ?? null)) };
    this.members.value = members;
  }
}
