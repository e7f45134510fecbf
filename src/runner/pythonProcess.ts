import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { fromWireError, ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { allowedEnvironment } from "../jobs/startNodeChild";
import { type Frame, FrameReader, FrameWriter } from "./frames";
import { type IsolatedCommand, signalOfCode } from "./isolation";
import { LineLimit } from "./lineLimit";
import { LogTail } from "./logTail";
import { killGroup } from "./processGroup";

/** What a process printed last is awaited so long after its end. */
const LET_GO_MS = 500;

/** How a worker is started. */
export interface PythonStart {
  /** Display name of the model in messages. */
  readonly label: string;
  /** Absolute path of the interpreter. */
  readonly interpreter: string;
  /** Absolute path of the folder with the worker's `__main__.py`. */
  readonly worker: string;
  /** Working directory. */
  readonly cwd: string;
  /** Variables beyond the allowed ones. */
  readonly env: Readonly<Record<string, string>>;
  /** How it is kept apart; left out where it is not. */
  readonly isolation?: IsolatedCommand | undefined;
  /** Takes what it prints, line by line; left out = this process prints it on stderr. */
  readonly onLine?: (line: string) => void;
}

/** What the worker may be asked. */
export type PythonOp = "import" | "load" | "run" | "save" | "customObjects";

interface Waiting {
  readonly id: number;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: ModelbenchError) => void;
}

/**
 * One Python process from start to end, asked one thing at a time. Whatever it sends that is not the answer to the
 * request under way ends it: nothing it says afterwards could be told from an answer.
 */
export class PythonProcess {
  /** Settles when the process and its group are gone, with what is known about the reason. */
  readonly ended: Promise<ModelbenchError>;
  readonly #label: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #writer: FrameWriter;
  readonly #tail = new LogTail();
  #lastId = 0;
  #waiting: Waiting | undefined;
  /** The request under way and those behind it. */
  #turn: Promise<unknown> = Promise.resolve();
  #fault: ModelbenchError | undefined;

  /** @throws ModelbenchError `python.missing` for what cannot be the name of an interpreter */
  constructor(start: PythonStart) {
    const { label, interpreter, onLine = (line: string) => process.stderr.write(`${line}\n`) } = start;
    this.#label = label;
    this.#child = spawnWorker(start);
    this.#writer = new FrameWriter(this.#child.stdin);
    // A broken pipe is followed by the end of the process, which is where it is reported.
    this.#child.stdin.on("error", () => undefined);
    this.#readFrames();
    // A model may print a line a row; what is printed here is written into the log by the editor's own process.
    const log = new LineLimit(onLine, () => performance.now());
    this.#tail.read(this.#child.stderr, (line) => log.take(line));
    this.#child.stderr.once("close", () => log.end());
    // What it started would otherwise live on, and hold the pipes open.
    this.#child.once("exit", () => {
      this.kill();
      setTimeout(() => this.#letGo(), LET_GO_MS).unref();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (cause) => resolve(this.#over(notStarted(label, interpreter, cause))));
      this.#child.once("close", (code, signal) => {
        const inside = start.isolation === undefined ? null : signalOfCode(code);
        resolve(this.#over(this.#death(this.#tail.describeEnd(code, signal ?? inside))));
      });
    });
  }

  /** The process id, which is its group's too; `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why it ended, or is being ended. */
  get fault(): ModelbenchError | undefined {
    return this.#fault;
  }

  /**
   * Asks when everything asked before has been answered.
   * @throws ModelbenchError the worker's own failure; `worker.died`, `python.missing` when it ended
   */
  call(op: PythonOp, data: unknown, bodies: readonly Tensor[] = []): Promise<Frame> {
    const answer = this.#turn.then(() => this.#ask(op, data, bodies));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the process and everything it started. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    killGroup(pid);
    this.#child.kill("SIGKILL");
  }

  /** Something that left the group may hold the pipes of a process that is gone. */
  #letGo(): void {
    for (const pipe of this.#child.stdio) pipe?.destroy();
  }

  #ask(op: PythonOp, data: unknown, bodies: readonly Tensor[]): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault);
      this.#lastId += 1;
      const id = this.#lastId;
      this.#waiting = { id, resolve, reject };
      try {
        this.#writer.send({ kind: "request", id, op, data, bodies }).catch(() => undefined);
      } catch (error) {
        // A frame beyond the limits was never sent.
        this.#waiting = undefined;
        reject(error);
      }
    });
  }

  #readFrames(): void {
    const reader = new FrameReader((frame) => this.#take(frame));
    const { stdout } = this.#child;
    stdout.on("error", () => undefined);
    // What ends by itself says so with its code; what only cannot answer any more would be awaited for ever.
    stdout.on("end", () => setTimeout(() => this.#break(this.#death("closed its output")), LET_GO_MS).unref());
    stdout.on("data", (chunk: Buffer) => {
      if (this.#fault !== undefined) return;
      try {
        reader.push(chunk);
      } catch (error) {
        const isOther = error instanceof ModelbenchError && error.code === "protocol.version";
        const why = error instanceof Error ? error.message : String(error);
        this.#break(isOther ? error : this.#death(`sent what cannot be read (${why})`, error));
      }
    });
  }

  #take(frame: Frame): void {
    if (this.#fault !== undefined) return;
    const waiting = this.#waiting;
    const { kind, id, op, error } = frame;
    if (waiting?.id !== id || (kind !== "result" && kind !== "error")) {
      this.#break(this.#death(`sent a ${kind} for ${op} ${id} that nobody waits for`));
      return;
    }
    this.#waiting = undefined;
    if (error === undefined) waiting.resolve(frame);
    else waiting.reject(fromWireError(error));
  }

  /** Ends it for what it did. */
  #break(fault: ModelbenchError): void {
    this.#fault ??= fault;
    this.kill();
  }

  #over(end: ModelbenchError): ModelbenchError {
    this.#fault ??= end;
    this.#waiting?.reject(this.#fault);
    this.#waiting = undefined;
    return this.#fault;
  }

  #death(why: string, cause?: unknown): ModelbenchError {
    return new ModelbenchError("worker.died", `${this.#label}: the Python process ${why}.`, {
      remedy: "Load the model again. The Modelbench log has what the process printed.",
      cause,
    });
  }
}

function spawnWorker(start: PythonStart): ChildProcessWithoutNullStreams {
  const { label, interpreter, worker, cwd, env, isolation } = start;
  const args = ["-I", worker];
  const options = { cwd, windowsHide: true, detached: process.platform !== "win32" } as const;
  try {
    if (isolation === undefined) {
      return spawn(interpreter, args, { ...options, env: { ...allowedEnvironment(process.env), ...env } });
    }
    // Otherwise the wrapper would be what says that it is not there.
    accessSync(interpreter, constants.X_OK);
    const whole = [...isolation.args, interpreter, ...args, ...isolation.limits];
    return spawn(isolation.program, whole, { ...options, env: { ...isolation.env, ...env } });
  } catch (error) {
    throw notStarted(label, interpreter, error instanceof Error ? error : new Error(String(error)));
  }
}

function notStarted(label: string, interpreter: string, cause: Error): ModelbenchError {
  const message = `${label}: the Python interpreter ${interpreter} cannot be started: ${cause.message}.`;
  return new ModelbenchError("python.missing", message, {
    remedy: "Choose another interpreter.",
    path: interpreter,
    cause,
  });
}
