import type { Disposable } from "../../base/scope";
import type { TreeNode } from "./treeModel";

/** More rows than this are drawn with the whole tree. */
const SOME_AT_MOST = 20;
/** The window is left alone for so many times what it took to ask for the rows, */
const REST_FACTOR = 2;
/** but no shorter, */
const SHORTEST_REST_MS = 50;
/** and no longer than this. */
const LONGEST_REST_MS = 1_000;
/** A view that is hidden or folded does not ask; after this time it is not waited for. */
const PATIENCE_MS = 2_000;

/**
 * Asks VS Code to draw rows anew, and never faster than it does: a window that is told again before it has asked for
 * the rows falls behind, and loses what was unfolded and selected meanwhile.
 */
export class Redraws implements Disposable {
  readonly #fire: (node: TreeNode | undefined) => void;
  /** When the whole tree was told to be drawn; `undefined` once VS Code has asked for it. */
  #toldAt: number | undefined;
  #again = false;
  #patience: NodeJS.Timeout | undefined;
  #rest: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(fire: (node: TreeNode | undefined) => void) {
    this.#fire = fire;
  }

  /** Draws everything anew, at once or as soon as the window has caught up. */
  all(): void {
    if (this.#isBusy) {
      this.#again = true;
      return;
    }
    this.#toldAt = performance.now();
    this.#patience = setTimeout(() => this.#giveUp(), PATIENCE_MS);
    this.#fire(undefined);
  }

  /** Draws rows and what is below them; those that are about to be drawn with everything are left out. */
  some(nodes: readonly TreeNode[]): void {
    if (nodes.length > SOME_AT_MOST || this.#isBusy) this.all();
    else for (const node of nodes) this.#fire(node);
  }

  /** VS Code has asked for the rows at the top. */
  asked(): void {
    if (this.#toldAt === undefined) return;
    const took = performance.now() - this.#toldAt;
    clearTimeout(this.#patience);
    this.#toldAt = undefined;
    const restMs = Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, REST_FACTOR * took));
    this.#rest = setTimeout(() => this.#rested(), restMs);
  }

  /** Answers when nothing is being drawn anew. */
  async quiet(): Promise<void> {
    if (!this.#isBusy) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  dispose(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#rest);
    this.#again = false;
    this.#answer();
  }

  get #isBusy(): boolean {
    return this.#toldAt !== undefined || this.#rest !== undefined;
  }

  #giveUp(): void {
    this.#toldAt = undefined;
    this.#rested();
  }

  #rested(): void {
    this.#rest = undefined;
    if (this.#again) {
      this.#again = false;
      this.all();
    } else this.#answer();
  }

  #answer(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
