import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = join(process.cwd(), "test/fixtures/makeStore.py");
const REQUIREMENTS = join(process.cwd(), "test/peers/requirements.txt");
const OUT = join(process.cwd(), "out");

/** The interpreter that the peers are installed in. */
export const PYTHON = join(process.cwd(), ".tools/venv/bin/python");

/** What makeStore.py says about what it made. */
export interface RealStoreManifest {
  readonly bentoml: string;
  readonly models: Readonly<
    Record<
      string,
      { readonly module: string; readonly files: Readonly<Record<string, string>>; readonly bytes: number }
    >
  >;
  readonly archives: Readonly<
    Record<string, { readonly tag: string; readonly bytes: number; readonly sha256: string }>
  >;
}

/** A store that the real BentoML made; not to be changed. */
export interface RealStore {
  /** A BENTOML_HOME. */
  readonly home: string;
  readonly archives: string;
  readonly manifest: RealStoreManifest;
}

/** Makes the store, or answers with the one made before by the same script with the same peers. */
function realStore(): RealStore {
  const hash = createHash("sha256").update(readFileSync(SCRIPT)).update(readFileSync(REQUIREMENTS));
  const prefix = `real-store-`;
  const folder = join(OUT, `${prefix}${hash.digest("hex").slice(0, 16)}`);
  if (!existsSync(folder)) {
    mkdirSync(OUT, { recursive: true });
    for (const entry of readdirSync(OUT)) {
      if (entry.startsWith(prefix)) rmSync(join(OUT, entry), { recursive: true, force: true });
    }
    make(folder);
  }
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as RealStoreManifest;
  return { home: join(folder, "home"), archives: join(folder, "archives"), manifest };
}

/** A copy of the real store in a temporary folder, to be changed at will. */
export function realStoreCopy(): RealStore & { readonly remove: () => void } {
  const { home, archives, manifest } = realStore();
  const temp = mkdtempSync(join(tmpdir(), "modelbench-real-"));
  cpSync(home, join(temp, "home"), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return { home: join(temp, "home"), archives, manifest, remove: () => rmSync(temp, { recursive: true, force: true }) };
}

/** Test files run in processes of their own: each makes the store aside, and the first to finish names it. */
function make(folder: string): void {
  const aside = mkdtempSync(join(tmpdir(), "modelbench-making-"));
  const own = `${folder}.${process.pid}`;
  try {
    execFileSync(PYTHON, [SCRIPT, join(aside, "store")], { stdio: ["ignore", "ignore", "inherit"], timeout: 120_000 });
    cpSync(join(aside, "store"), own, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    try {
      renameSync(own, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
    rmSync(own, { recursive: true, force: true });
  }
}
