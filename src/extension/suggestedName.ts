import { basename, extname } from "node:path";

/** A model name made from a file name: lower case, with what BentoML's grammar refuses left out. */
export function suggestedName(file: string): string {
  const base = basename(file, extname(file)).toLowerCase();
  const name = base
    .replace(/[^a-z0-9._-]+/g, "_")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 63);
  return name.replace(/[^a-z0-9]+$/, "") || "model";
}
