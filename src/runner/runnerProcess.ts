import type { ChildProcess } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { fromWireError, ModelbenchError } from "../base/errors";
import type { Log } from "../base/log";
import type { Tensor } from "../formats/tensor";
import { startNodeChild } from "../jobs/startNodeChild";
import { type Frame, FrameReader, FrameWriter } from "./frames";
import { LogTail } from "./logTail";
import { removePrivateFolders } from "./privateFolder";
import { killGroup } from "./processGroup";
import { type RunnerOp, startedGroup } from "./wire";

/** What a call to the runner is still owed. */
interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: ModelbenchError) => void;
}

/** One runner process from start to end. Calls are matched to answers by id; none outlives the process. */
export class RunnerProcess {
  /** Settles when the process is gone, with what is known about the reason. */
  readonly ended: Promise<ModelbenchError>;
  readonly #child: ChildProcess;
  readonly #writer: FrameWriter;
  readonly #waiting = new Map<number, Waiting>();
  readonly #label: string;
  readonly #log: Log;
  readonly #tail = new LogTail();
  /** Process groups that the runner started. */
  readonly #groups = new Set<number>();
  #lastId = 0;
  #fault: ModelbenchError | undefined;
  #isOver = false;

  /** @param env variables beyond those that every child may see */
  constructor(entry: string, label: string, log: Log, env: Readonly<Record<string, string>> = {}) {
    this.#label = label;
    this.#log = log;
    this.#child = startNodeChild({ entry, stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], ownGroup: true, env });
    this.#writer = new FrameWriter(this.#outgoing());
    this.#readFrames();
    for (const stream of [this.#child.stdout, this.#child.stderr])
      this.#tail.read(stream, (line) => log.info(`${label}: ${line}`));
    // What it started would otherwise live on, and hold the pipes open.
    this.#child.once("exit", () => this.#killGroups());
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (cause) =>
        resolve(this.#over(this.#death(`cannot be started: ${cause.message}`, cause))),
      );
      this.#child.once("close", (code, signal) => {
        const cause = this.#over(this.#died(this.#ending(code, signal)));
        void removePrivateFolders(this.#child.pid ?? 0).then(() => resolve(cause));
      });
    });
  }

  /** The process id, `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks the runner. `started` is told the id that `cancel` needs.
   * @throws ModelbenchError the runner's own failure, or `worker.died`
   */
  call(
    op: RunnerOp,
    data: unknown = {},
    bodies: readonly Tensor[] = [],
    started?: (id: number) => void,
  ): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(this.#fault ?? this.#death("has ended"));
      this.#lastId += 1;
      const id = this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      started?.(id);
      try {
        this.#writer.send({ kind: "request", id, op, data, bodies }).catch(() => undefined);
      } catch (error) {
        // A frame beyond the limits was never sent; a closed pipe is reported as the process's end.
        this.#waiting.delete(id);
        reject(error);
      }
    });
  }

  /** Tells the runner that nobody waits for a call any more. */
  cancel(id: number): void {
    if (this.#isOver) return;
    this.#writer.send({ kind: "cancel", id, op: "cancel", bodies: [] }).catch(() => undefined);
  }

  /** Ends the process and everything it started. */
  kill(): void {
    if (this.#isOver) return;
    this.#killGroups();
    this.#child.kill("SIGKILL");
  }

  #killGroups(): void {
    for (const group of this.#groups) killGroup(group);
    if (this.#child.pid !== undefined) killGroup(this.#child.pid);
  }

  #outgoing(): Writable {
    const pipe = this.#child.stdio[3];
    if (!(pipe instanceof Writable)) throw new ModelbenchError("internal", "The runner has no pipe to write to.");
    // A broken pipe is followed by the end of the process, which is where it is reported.
    pipe.on("error", () => undefined);
    return pipe;
  }

  #readFrames(): void {
    const pipe = this.#child.stdio[4];
    if (!(pipe instanceof Readable)) throw new ModelbenchError("internal", "The runner has no pipe to read from.");
    const reader = new FrameReader((frame) => this.#take(frame));
    pipe.on("error", () => undefined);
    pipe.on("data", (chunk: Buffer) => {
      if (this.#fault !== undefined) return;
      try {
        reader.push(chunk);
      } catch (error) {
        const isOther = error instanceof ModelbenchError && error.code === "protocol.version";
        this.#fault = isOther ? error : this.#death(`sent what cannot be read (${textOf(error)})`, error);
        this.kill();
      }
    });
  }

  #take(frame: Frame): void {
    const group = startedGroup(frame);
    if (group !== undefined) {
      this.#groups.add(group);
      return;
    }
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined || (frame.kind !== "result" && frame.kind !== "error")) {
      this.#log.debug(`${this.#label}: the runner sent an unexpected ${frame.kind} for ${frame.op} ${frame.id}.`);
      return;
    }
    this.#waiting.delete(frame.id);
    if (frame.error === undefined) waiting.resolve(frame);
    else waiting.reject(fromWireError(frame.error));
  }

  #over(end: ModelbenchError): ModelbenchError {
    this.#isOver = true;
    this.#fault ??= end;
    for (const { reject } of this.#waiting.values()) reject(this.#fault);
    this.#waiting.clear();
    return this.#fault;
  }

  /** What the runner said itself is better than what its end looks like. */
  #ending(code: number | null, signal: NodeJS.Signals | null): string {
    const { farewell } = this.#tail;
    if (farewell?.startsWith(`${this.#label}: `)) return farewell;
    const why =
      farewell === undefined ? this.#tail.describeEnd(code, signal) : `ended itself: ${farewell.slice(0, -1)}`;
    return `${this.#label}: the runner process ${why}.`;
  }

  #death(why: string, cause?: unknown): ModelbenchError {
    return this.#died(`${this.#label}: the runner process ${why}.`, cause);
  }

  #died(message: string, cause?: unknown): ModelbenchError {
    return new ModelbenchError("worker.died", message, {
      remedy: "Load the model again. The Modelbench log has what the process printed.",
      cause,
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
