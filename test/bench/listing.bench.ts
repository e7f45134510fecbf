import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ModelStore } from "../../src/store/modelStore";
import { report } from "./report";
import { type Case, interleave, type Ratio, type Timing } from "./rounds";
import { writeBenchStore } from "./store";

const CLI = resolve("dist/cli.cjs");
const PEER = resolve(".tools/venv/bin/bentoml");

/** The physical limit: every `model.yaml` read and every file's size asked for, synchronously. */
function readsAndStats(home: string): number {
  const models = join(home, "models");
  let total = 0;
  for (const name of readdirSync(models)) {
    for (const version of readdirSync(join(models, name))) {
      if (version === "latest") continue;
      const folder = join(models, name, version);
      readFileSync(join(folder, "model.yaml"));
      for (const file of readdirSync(folder)) total += statSync(join(folder, file)).size;
    }
  }
  return total;
}

const quiet = (program: string, args: string[], home: string) =>
  execFileSync(program, args, {
    env: { ...process.env, BENTOML_HOME: home, BENTOML_DO_NOT_TRACK: "True" },
    stdio: ["ignore", "ignore", "ignore"],
  });

async function measure(): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  for (const count of [10, 1_000, 10_000]) {
    const home = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
    try {
      writeBenchStore(home, count);
      ratios.push(...(await measureStore(home, count)));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
  return ratios;
}

async function measureStore(home: string, count: number): Promise<Ratio[]> {
  const inside = await interleave(
    [
      { name: "ModelStore.list", run: () => new ModelStore(home).list() },
      { name: "reads and stats", run: () => readsAndStats(home) },
    ],
    { warmUp: 3, rounds: count > 1_000 ? 7 : 21 },
  );
  const processes: Case[] = [
    { name: "cli", run: () => quiet(process.execPath, [CLI, "list", "-o", "json"], home) },
    { name: "node -e 0", run: () => quiet(process.execPath, ["-e", "0"], home) },
  ];
  if (existsSync(PEER))
    processes.push({ name: "bentoml", run: () => quiet(PEER, ["models", "list", "-o", "json"], home) });
  const whole = await interleave(processes, { warmUp: 1, rounds: count > 1_000 ? 1 : 5 });
  const [cli, node, peer] = whole as [Timing, Timing, Timing?];
  const [list, limit] = inside as [Timing, Timing];
  return [
    { what: `list ${count}, in process`, ours: list, against: limit, ...goal(count, 1.5) },
    { what: `list ${count}, whole process`, ours: cli, against: node },
    ...(peer === undefined
      ? []
      : [{ what: `list ${count}, whole process`, ours: cli, against: peer, ...goal(count, 0.1) }]),
  ];
}

/** Ten models take less than what any process start or first call does: they are shown, not promised. */
const goal = (count: number, atMost: number) => (count < 1_000 ? {} : { atMost });

void report("listing", measure);
