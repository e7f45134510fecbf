import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Frame } from "playwright-core";

const source = readFileSync(createRequire(join(process.cwd(), "package.json")).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core says about the document of a frame: one line per rule and element, empty when nothing is wrong. */
export async function axeViolations(frame: Frame): Promise<string[]> {
  await frame.evaluate(source);
  const results = await frame.evaluate<AxeResults>("axe.run(document)");
  if (results.passes.length === 0) throw new Error("axe-core found nothing to check");
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}`),
  );
}

interface AxeResults {
  readonly passes: readonly unknown[];
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}
