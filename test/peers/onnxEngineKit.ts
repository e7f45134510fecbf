import { existsSync, readdirSync, readFileSync } from "node:fs";
import { stringifyExact } from "../../src/formats/jsonExact";
import { tensorToNested } from "../../src/formats/tensorJson";
import type { RunnerSession } from "../../src/runner/client";
import type { InputValue, RunResult } from "../../src/runner/protocol";

/** Inputs or outputs by name, as JSON has them. */
export type Values = Readonly<Record<string, unknown>>;

/** An answer of Python with plain numbers: its integers are all small. */
export function plainNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)));
}

/** Values as inputs in JSON. */
export function json(values: Values): Record<string, InputValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { kind: "json", value }]));
}

/** Outputs by name, as the other side writes them. */
export function plain({ outputs }: RunResult): Record<string, unknown> {
  const entries = outputs.map(({ name, dtype, shape, tensor, value }): [string, unknown] => {
    if (tensor !== undefined) return [name, { dtype, shape, data: tensorToNested(tensor) }];
    return [name, value?.container === "list" ? value.items : value?.container === "object" ? value.value : value];
  });
  return JSON.parse(stringifyExact(new Map(entries)));
}

/** Runs a request that shares no batch. */
export function runAlone(session: RunnerSession, inputs: Values): Promise<RunResult> {
  return session.run({ method: "run", inputs: json(inputs), batch: false });
}

/** Children of a process whose program is Python. */
export function workersOf(runner: number | undefined): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const status = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
    return Number(/\) \S (\d+)/.exec(status)?.[1]) === runner;
  });
}
