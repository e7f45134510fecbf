import { Emitter } from "../../base/events";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import type { ModelSummary } from "../../store/model";
import { type ModelVerdict, pickleVerdictsJob } from "../../store/pickleVerdicts";
import type { VersionNode } from "./treeModel";

/** Rows are drawn one after another: those of one moment are asked about together. */
const GATHER_MS = 50;
/** Versions asked about in one job, so that the first rows have their answers soon. */
const AT_ONCE = 20;
/** A verdict is taken for current for so long; files that did not change cost the jobs process next to nothing. */
const FRESH_MS = 20_000;
/** Verdicts remembered. */
const MAX_KNOWN = 20_000;

interface Known {
  readonly verdict: ModelVerdict | null;
  readonly askedMs: number;
  readonly state: string;
}

/**
 * What the pickles of versions hold, found out in the jobs process for rows that are drawn and for no others. A row is
 * drawn without it first.
 */
export class Verdicts implements Disposable {
  readonly #jobs: Jobs;
  readonly #changed = new Emitter<readonly VersionNode[]>();
  readonly #known = new Map<string, Known>();
  #waiting = new Map<string, VersionNode>();
  #timer: NodeJS.Timeout | undefined;
  readonly #ended = new AbortController();

  /** Rows whose verdict is another one than what `of` said before. */
  readonly onDidChange = this.#changed.event;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** What is known of a row that is being drawn; asks for what is not, or not any more. */
  of(node: VersionNode): ModelVerdict | undefined {
    const known = this.#known.get(node.summary.path);
    const state = stateOf(node.summary);
    const isFresh = known?.state === state && performance.now() - known.askedMs < FRESH_MS;
    if (!isFresh) {
      this.#waiting.set(node.summary.path, node);
      this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
    }
    return known?.verdict ?? undefined;
  }

  dispose(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#changed.dispose();
  }

  async #ask(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#ended.signal.aborted) {
      const nodes = [...this.#waiting.values()].slice(0, AT_ONCE);
      for (const { summary } of nodes) this.#waiting.delete(summary.path);
      const folders = nodes.map(({ summary }) => summary.path);
      try {
        const found = await this.#jobs.run(pickleVerdictsJob, { folders }, { signal: this.#ended.signal });
        this.#remember(nodes, found);
      } catch {
        // Rows stay without a verdict; the next drawing asks again.
      }
    }
    this.#timer = undefined;
  }

  #remember(nodes: readonly VersionNode[], found: readonly (ModelVerdict | null)[]): void {
    const changed: VersionNode[] = [];
    for (const [i, node] of nodes.entries()) {
      const { path } = node.summary;
      const verdict = found[i] ?? null;
      const before = this.#known.get(path)?.verdict ?? null;
      if (before?.verdict !== verdict?.verdict || before?.unknownImports !== verdict?.unknownImports)
        changed.push(node);
      if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value ?? "");
      this.#known.set(path, { verdict, askedMs: performance.now(), state: stateOf(node.summary) });
    }
    if (changed.length > 0 && !this.#ended.signal.aborted) this.#changed.fire(changed);
  }
}

function stateOf({ sizeBytes, creationMs }: ModelSummary): string {
  return `${sizeBytes} ${creationMs}`;
}
