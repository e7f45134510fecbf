import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { stringifyExact } from "../../../src/formats/jsonExact";
import type { MethodSignature, Tensor } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import type { RunnerSession } from "../../../src/runner/client";
import type { InputValue, LoadRequest, PythonLoad, RunResult } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { type CliAnswer, type CliKit, openCliKit } from "../../fixtures/cliKit";
import { keptLog } from "../../unit/runner/runnerKit";
import { PYTHON } from "../realStore";

export type Nested = number | readonly Nested[];

/** One output as `modelbench run -o json` prints it. */
interface Printed {
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly data?: Nested;
  readonly json?: unknown;
}

/** How a model is loaded beyond what every one needs. */
interface Loading {
  readonly adapter: string;
  readonly folder: string;
  readonly signatures: LoadRequest["signatures"];
  readonly maxBatchSize?: number;
  readonly device?: string;
  readonly python?: Partial<PythonLoad>;
}

/** The command line and a runner session over one store that the real BentoML wrote. */
export class ExampleKit {
  readonly cli: CliKit;

  private constructor(cli: CliKit) {
    this.cli = cli;
  }

  static async open(): Promise<ExampleKit> {
    return new ExampleKit(await openCliKit());
  }

  /** Where the store of the real BentoML is to be. */
  get home(): string {
    return this.cli.home;
  }

  /** Where a project of its user is to be. */
  get project(): string {
    return join(this.cli.folder, "project");
  }

  /** `modelbench run ARGS --allow-code` in the peers' Python, whatever becomes of it. */
  call(args: readonly string[], python = PYTHON): Promise<CliAnswer> {
    return this.cli.run(["run", ...args, "--allow-code", "--python", python, "-o", "json"]);
  }

  /** The outputs of a run that succeeds; what is said beside it may only be of the pickle. */
  async outputs(...args: readonly string[]): Promise<Record<string, Printed>> {
    const { code, stdout, stderr } = await this.call(args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    const said: { code: string }[] = stderr === "" ? [] : JSON.parse(stderr).warnings;
    assert.deepEqual(
      said.filter((warning) => !warning.code.startsWith("pickle.")),
      [],
    );
    return JSON.parse(stdout).outputs;
  }

  /** The only output of a run, through the batcher and past it: both must be the same. */
  async output(...args: readonly string[]): Promise<Printed> {
    const [batched, direct] = await Promise.all([this.outputs(...args), this.outputs(...args, "--no-batch")]);
    assert.deepEqual(batched, direct, args.join(" "));
    assert.deepEqual(Object.keys(batched), ["output"]);
    return batched["output"] as Printed;
  }

  /** The only output of one run. */
  async once(...args: readonly string[]): Promise<Printed> {
    const outputs = await this.outputs(...args);
    assert.deepEqual(Object.keys(outputs), ["output"]);
    return outputs["output"] as Printed;
  }

  /** The failure of a run. */
  async failure(args: readonly string[], python = PYTHON): Promise<{ code: string; message: string; remedy?: string }> {
    const { code, stdout, stderr } = await this.call(args, python);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    return JSON.parse(stderr).error;
  }

  /** A loaded model, unloaded afterwards; `printed` has what its process printed so far. */
  async withModel<T>(
    { adapter, folder, signatures, maxBatchSize = 100, device = "cpu", python }: Loading,
    use: (session: RunnerSession, printed: () => string) => Promise<T>,
  ): Promise<T> {
    const log = keptLog();
    const request: LoadRequest = {
      label: "model",
      adapter,
      file: folder,
      device,
      signatures,
      batching: { enabled: true, maxBatchSize },
      python: {
        interpreter: PYTHON,
        worker: join(dirname(this.cli.entry), "python"),
        folder,
        files: filesOf(folder),
        options: "{}",
        paths: [],
        preload: [],
        ...python,
      },
    };
    const session = openSession(request, { entry: join(dirname(this.cli.entry), "runner.cjs"), log });
    try {
      return await use(session, () => log.lines.join("\n"));
    } finally {
      await session.stop();
    }
  }

  dispose(): void {
    this.cli.dispose();
  }
}

function filesOf(folder: string): PythonLoad["files"] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "model.yaml")
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => ({
      path: relative(folder, path).split(sep).join("/"),
      sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
    }));
}

/** A method's signature as model.yaml has it: nothing of its arguments is declared. */
export function signature(batchDim?: readonly [number, number]): MethodSignature {
  const open = { inputs: [], outputs: [], isOpen: true, source: "model.yaml" } as const;
  return { ...open, batchable: batchDim !== undefined, batchDim: batchDim ?? [0, 0] };
}

/** Arguments by position, from JSON. */
export function json(...values: readonly unknown[]): Record<string, InputValue> {
  return Object.fromEntries(values.map((value, i): [string, InputValue] => [String(i), { kind: "json", value }]));
}

/** Arguments by position, of float32. */
export function floats(rows: readonly (readonly number[])[]): Record<string, InputValue> {
  const data = new Uint8Array(Float32Array.from(rows.flat()).buffer);
  return { 0: { kind: "tensor", tensor: { dtype: "float32", shape: [rows.length, rows[0]?.length ?? 0], data } } };
}

/** The only output of a run, nested. */
export function nested({ outputs }: RunResult): Nested {
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ["output"],
  );
  return tensorToNested(outputs[0]?.tensor as Tensor) as Nested;
}

/** What a method gave that is no array, its numbers as JavaScript has them. */
export function plainValue({ outputs }: RunResult): unknown {
  const value = outputs[0]?.value;
  assert.ok(value !== undefined && "value" in value);
  return JSON.parse(stringifyExact(value.value));
}

/**
 * Runs of a method that are queued together, so that they ride in one batch: the model is held up meanwhile, by a
 * method `hold` of its own.
 */
export async function runTogether(
  session: RunnerSession,
  method: string,
  calls: readonly Record<string, InputValue>[],
): Promise<RunResult[]> {
  await session.load();
  const held = session.run({ method: "hold", inputs: json(0.25), batch: false });
  const runs = await Promise.all(calls.map((inputs) => session.run({ method, inputs, batch: true })));
  await held;
  return runs;
}

/** The largest difference of two equally shaped answers. */
export function difference(left: Nested | undefined, right: Nested | undefined): number {
  if (Array.isArray(left) && Array.isArray(right)) {
    assert.equal(left.length, right.length);
    return Math.max(0, ...left.map((item, i) => difference(item, right[i])));
  }
  assert.deepEqual([typeof left, typeof right], ["number", "number"]);
  return Math.abs((left as number) - (right as number));
}
