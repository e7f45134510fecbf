import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { type Amount, type Ratio, renderRatios } from "./rounds";

/** Prints one bench's table and writes its samples to `out/bench/<name>.json`. */
export async function report(name: string, measure: () => Promise<readonly (Ratio | Amount)[]>): Promise<void> {
  const ratios = await measure();
  const machine = { cpu: cpus()[0]?.model ?? "", cores: cpus().length, node: process.version, load: loadavg() };
  const load = `load ${machine.load[0]?.toFixed(1)} on ${machine.cores} cores`;
  process.stdout.write(`\n${name} (${load})\n${renderRatios(ratios)}\n`);
  writeFileSync(join("out", "bench", `${name}.json`), `${JSON.stringify({ name, machine, ratios }, null, 1)}\n`);
}
