import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fromWireError } from "../../src/base/errors";
import { decodeStrings, encodeStrings } from "../../src/formats/elements";
import type { DType, Tensor } from "../../src/formats/tensor";
import { type Frame, FrameReader, FrameWriter } from "../../src/runner/frames";

const PYTHON = join(process.cwd(), ".tools/venv/bin/python");
const WORKER = join(process.cwd(), "src/frameworks/python");

/** A value as the Python side of these tests prints it: base64 of bytes, a list of texts, or JSON. */
export type PlainValue =
  | { readonly tensor: { readonly dtype: string; readonly shape: readonly number[]; readonly data: unknown } }
  | { readonly list: unknown }
  | { readonly object: unknown };

/** A value by name. */
export interface Named<Value = PlainValue> {
  readonly name: string;
  readonly value: Value;
}

/** What a run gave. */
export interface Ran {
  readonly outputs: readonly Named[];
  readonly runMs: number;
}

/** A real worker process, spoken to in frames. */
export class PythonWorker {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #folder = mkdtempSync(join(tmpdir(), "modelbench-worker-"));
  readonly #writer: FrameWriter;
  readonly #waiting: ((frame: Frame) => void)[] = [];
  readonly #gone: Promise<readonly unknown[]>;
  #log = "";
  #heard: () => void = () => {};
  #id = 0;

  /** @param flags of the interpreter, before the worker's folder */
  constructor(flags: readonly string[] = ["-I"], env: Readonly<Record<string, string>> = {}) {
    const environment = { PATH: process.env["PATH"], HOME: this.#folder, ...env };
    const options = {
      cwd: this.#folder,
      stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
      env: environment,
    };
    this.child = spawn(PYTHON, [...flags, WORKER], options);
    this.#writer = new FrameWriter(this.child.stdin);
    const reader = new FrameReader((frame) => this.#waiting.shift()?.(frame));
    this.child.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
    this.child.stdin.on("error", () => {});
    this.child.stderr.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
      this.#heard();
    });
    this.#gone = once(this.child, "close");
  }

  /** What was printed so far. */
  get log(): string {
    return this.#log;
  }

  /** Settles once this was printed; fails when the worker ends without it. */
  async printed(text: string): Promise<void> {
    while (!this.#log.includes(text)) {
      const ended = this.#gone.then(() => "gone");
      const more = new Promise<string>((resolve) => {
        this.#heard = () => resolve("more");
      });
      if ((await Promise.race([more, ended])) === "gone" && !this.#log.includes(text)) throw new Error(this.#log);
    }
  }

  /** The next frame, whatever it answers. */
  next(): Promise<Frame> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#gone.then(() => reject(new Error(`the worker ended: ${this.#log.slice(-2000)}`)));
    });
  }

  /** The data and bodies of an answer. @throws ModelbenchError of an error frame */
  async ask(op: string, data?: unknown, bodies: readonly Tensor[] = []): Promise<Frame> {
    const id = ++this.#id;
    const answer = this.next();
    void this.#writer.send({ kind: "request", id, op, data, bodies }).catch(() => {});
    const frame = await answer;
    if (frame.id !== id) throw new Error(`${frame.id} was answered, not ${id}: ${JSON.stringify(frame.error)}`);
    if (frame.error) throw fromWireError(frame.error);
    return frame;
  }

  /** Loads a model of a folder; `more` are other fields of the request. */
  async load(adapter: string, folder: string, more: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const options = JSON.stringify(more["options"] ?? {});
    const data = { adapter, label: folder, folder, device: "", paths: [], preload: [], ...more, options };
    return (await this.ask("load", data)).data;
  }

  /** Runs a method; what is no tensor comes back as its JSON. */
  async run(method: string, args: readonly Named[]): Promise<Ran> {
    const bodies: Tensor[] = [];
    const toWire = (value: PlainValue) => {
      const [kind, content] = Object.entries(value)[0] as [string, unknown];
      bodies.push(kind === "tensor" ? fromPlain(content as PlainTensor) : jsonBody(content));
      return { [kind]: bodies.length - 1 };
    };
    const sent = args.map(({ name, value }) => ({ name, value: toWire(value) }));
    const frame = await this.ask("run", { method, args: sent }, bodies);
    const { outputs, runMs } = frame.data as { outputs: Named<Record<string, number>>[]; runMs: number };
    return { runMs, outputs: outputs.map(({ name, value }) => ({ name, value: fromWire(value, frame.bodies) })) };
  }

  /** Writes raw bytes, past the protocol. */
  write(bytes: Uint8Array): void {
    this.child.stdin.write(bytes);
  }

  /** Settles with the exit code once the process is gone. */
  async ended(): Promise<number | null> {
    return (await this.#gone)[0] as number | null;
  }

  /** Closes the requests, waits for the end, and kills what did not hear it. */
  async close(): Promise<void> {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await this.#gone;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface PlainTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: unknown;
}

/** A tensor of what Python printed. */
export function fromPlain({ dtype, shape, data }: PlainTensor): Tensor {
  const bytes = dtype === "string" ? encodeStrings(data as string[]) : Buffer.from(data as string, "base64");
  return { dtype: dtype as DType, shape, data: bytes };
}

/** The form in which Python prints a tensor. */
export function toPlain({ dtype, shape, data }: Tensor): PlainTensor {
  return { dtype, shape, data: dtype === "string" ? decodeStrings(data) : Buffer.from(data).toString("base64") };
}

/** An argument from a tensor. */
export function tensorArg(name: string, tensor: Tensor): Named {
  return { name, value: { tensor: toPlain(tensor) } };
}

function jsonBody(value: unknown): Tensor {
  const data = Buffer.from(JSON.stringify(value));
  return { dtype: "uint8", shape: [data.length], data };
}

function fromWire(value: Readonly<Record<string, number>>, bodies: readonly Tensor[]): PlainValue {
  const [kind, index] = Object.entries(value)[0] as [string, number];
  const body = bodies[index] as Tensor;
  if (kind === "tensor") return { tensor: toPlain(body) };
  return { [kind]: JSON.parse(Buffer.from(body.data).toString()) } as unknown as PlainValue;
}
