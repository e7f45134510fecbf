import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ModelDraft, SourceFile } from "../../../src/store/model";
import { yamlOf } from "../../fixtures/modelYaml";
import { namesIn } from "../../fixtures/tree";

/** A new temporary folder, in memory where the machine offers that: these tests flush thousands of files. */
export function tempFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "modelbench-store-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A draft with the least that a model needs. */
export function draftOf(name: string, version?: string, more: Partial<ModelDraft> = {}): ModelDraft {
  return {
    name,
    version,
    module: "",
    labels: {},
    metadata: new Map(),
    options: new Map(),
    signatures: {},
    apiVersion: "v1",
    frameworkName: "",
    frameworkVersions: {},
    ...more,
  };
}

/** Writes files (path to content) below `folder` and names them as sources of a model. */
export function sourcesIn(folder: string, files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files).map(([to, content]) => {
    const from = join(folder, to);
    mkdirSync(dirname(from), { recursive: true });
    writeFileSync(from, content);
    return { from, to };
  });
}

export { namesIn, yamlOf };

/** Puts a version into a store without any code of ours. */
export function plant(home: string, name: string, version: string, creation?: string): string {
  const folder = join(home, "models", name, version);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "model.yaml"), yamlOf(name, version, creation));
  writeFileSync(join(folder, "weights.bin"), `weights of ${name}:${version}`);
  return folder;
}

/** A model.yaml of 20,000 labels, over 500 kB, that takes the full parser some 60 ms. */
export function manyLabels(name: string, version: string): string {
  const labels = Array.from({ length: 20_000 }, (_, i) => `  label${i}: value ${i}`);
  return yamlOf(name, version).replace("labels: {}", `labels:\n${labels.join("\n")}`);
}

/** Every path below `root` with its kind, mode and bytes, for comparing trees exactly. */
export function treeOf(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string, shown: string): void => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) found[shown] = `link ${readlinkSync(path)}`;
    else if (stat.isFile()) found[shown] = `file ${mode} ${readFileSync(path, "base64")}`;
    else {
      found[shown] = `folder ${mode}`;
      for (const entry of readdirSync(path).sort()) walk(join(path, entry), `${shown}/${entry}`);
    }
  };
  try {
    walk(root, "");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  return found;
}

let ended: number | undefined;

/** Gives everything that this process staged to a process that has ended, as if this one had been killed. */
export function asIfKilled(home: string): void {
  const staging = join(home, ".modelbench", "staging");
  ended ??= spawnSync("true").pid;
  for (const name of namesIn(staging)) {
    if (name.startsWith(`${process.pid}-`)) {
      const renamed = name.replace(/^\d+-/, `${ended}-`);
      renameSync(join(staging, name), join(staging, renamed));
      const entry = join(staging, renamed, "entry.json");
      if (existsSync(entry)) writeFileSync(entry, readFileSync(entry, "utf8").replace(name, renamed));
    } else if (name.startsWith("edit.")) {
      for (const owner of namesIn(join(staging, name)))
        renameSync(join(staging, name, owner), join(staging, name, owner.replace(/^\d+-/, `${ended}-`)));
    }
  }
}
