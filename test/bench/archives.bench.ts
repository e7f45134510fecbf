import { execFileSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Compression, ExportFormat } from "../../src/store/archive/archiveJobs";
import { exportModel } from "../../src/store/archive/exportModel";
import { importArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { yamlOf } from "../fixtures/modelYaml";
import { archiveMemory } from "./archiveMemory";
import { report } from "./report";
import { type Case, interleave, type Ratio, type Timing } from "./rounds";

const PEER = resolve(".tools/venv/bin/bentoml");
const MIB = 1024 ** 2;
const BIG = 64 * MIB;
const FILES = 2000;

const work = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
const home = join(work, "home");
let made = 0;

/** A version of these files, imported, so that an export compares digests as it does for a user. */
async function model(name: string, files: Readonly<Record<string, Buffer>>): Promise<string> {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  writeFileSync(join(folder, "model.yaml"), yamlOf(name, "v1"));
  await importArchive(new ModelStore(home), { source: folder, onConflict: "fail" });
  return folder;
}

/** Normal numbers, as weights are: they hardly shrink. */
function weights(bytes: number): Buffer {
  const uniform = new Uint32Array(bytes / 4);
  randomFillSync(uniform);
  const floats = new Float32Array(bytes / 4);
  for (let i = 0; i < floats.length; i++) {
    const [a, b] = [uniform[i] as number, uniform[(i * 7 + 1) % floats.length] as number];
    floats[i] = 0.05 * Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * b) / 2 ** 32);
  }
  return Buffer.from(floats.buffer);
}

/** Records that repeat in part, as tables of text do. */
function text(bytes: number): Buffer {
  const lines: string[] = [];
  for (let size = 0, i = 0; size < bytes; i++) {
    const line = `${i},sample ${(i * 2_654_435_761) % 9973},${((i * 40_503) % 65_537) / 7},label_${i % 17}\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join("")).subarray(0, bytes);
}

/** The limit of an export: every file read, hashed, written to one file, and that one flushed. */
function readHashWrite(folder: string, target: string): void {
  const buffer = Buffer.allocUnsafe(MIB);
  const out = openSync(target, "wx");
  for (const name of readdirSync(folder)) {
    const file = openSync(join(folder, name), "r");
    hashOf(file, buffer, (got) => writeSync(out, buffer, 0, got));
    closeSync(file);
  }
  fsyncSync(out);
  closeSync(out);
}

function hashOf(file: number, buffer: Buffer, onRead: (got: number) => void): string {
  const hash = createHash("sha256");
  for (;;) {
    const got = readSync(file, buffer, 0, buffer.length, null);
    if (got === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, got));
    onRead(got);
  }
}

/** Flushes every file of a folder, one after another, as a copy that must last has to; with `hash`, reads it, too. */
function flushFiles(folder: string, hash = false): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(entry.parentPath, entry.name), "r");
    if (hash) hashOf(file, Buffer.allocUnsafe(MIB), () => undefined);
    fsyncSync(file);
    closeSync(file);
  }
}

/** A case that makes something new; what the sample before made is removed outside the timing. */
function making(name: string, run: (target: string) => unknown): Case {
  let target = "";
  return {
    name,
    before() {
      if (target !== "") rmSync(target, { recursive: true, force: true });
      target = join(work, `made-${made++}`);
    },
    run: () => run(target),
  };
}

const exporting = (name: string, format: ExportFormat, compression?: Compression) =>
  making(`export ${format}`, (target) => {
    mkdirSync(target);
    const destination = join(target, "m");
    return exportModel(new ModelStore(home), { tag: name, destination, format, ...(compression && { compression }) });
  });

const importing = (source: string) =>
  making("import", (target) => importArchive(new ModelStore(target), { source, onConflict: "fail" }));

/** What an import is compared with: as many bytes read and written, hashed and flushed. */
const untar = (archive: string, { unpack = "", hash = true } = {}) =>
  making(`${unpack && `${unpack} | `}tar x${hash ? ", hash" : ""}, fsync`, (target) => {
    mkdirSync(target);
    const command = unpack ? `${unpack} '${archive}' | tar x -C '${target}'` : `tar xf '${archive}' -C '${target}'`;
    execFileSync("sh", ["-c", command]);
    flushFiles(target, hash);
  });

async function archiveOf(name: string, format: ExportFormat): Promise<string> {
  return (await exportModel(new ModelStore(home), { tag: name, destination: join(work, `${name}.${format}`), format }))
    .path;
}

async function pair(what: string, atMost: number | undefined, ours: Case, against: Case, rounds = 21): Promise<Ratio> {
  const [mine, theirs] = (await interleave([ours, against], { warmUp: 1, rounds })) as [Timing, Timing];
  return { what, ours: mine, against: theirs, ...(atMost === undefined ? {} : { atMost }) };
}

async function exports(folder: string): Promise<Ratio[]> {
  const loop = () => making("read, hash, write", (target) => readHashWrite(folder, target));
  const table = await model("table", { "table.csv": text(BIG) });
  const ratios = [
    await pair("export .bentomodel, 64 MiB", 2, exporting("big", "bentomodel"), loop()),
    await pair("export tar, 64 MiB", 1.3, exporting("big", "tar"), loop()),
    await pair("export zip, 64 MiB of weights", 2, exporting("big", "zip"), loop()),
    await pair(
      "export tar.gz, 64 MiB of text",
      1.1,
      exporting("table", "tar.gz"),
      making("tar | gzip -6", (target) => {
        execFileSync("sh", ["-c", `tar c -C '${table}' . | gzip -6 > '${target}'`]);
        flushFiles(work);
      }),
      3,
    ),
  ];
  return ratios;
}

async function imports(): Promise<Ratio[]> {
  const [tar, stored] = [await archiveOf("big", "tar"), await archiveOf("big", "bentomodel")];
  const many = await model(
    "many",
    Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`f${i}.bin`, weights(8192)])),
  );
  const manyTar = await archiveOf("many", "tar");
  return [
    await pair("import tar, 64 MiB", 2, importing(tar), untar(tar)),
    await pair("import tar, 64 MiB", undefined, importing(tar), untar(tar, { hash: false })),
    await pair("import stored .bentomodel, 64 MiB", 2, importing(stored), untar(tar)),
    await pair(
      `import ${FILES} small files`,
      1.8,
      importing(manyTar),
      making("cpSync, hash, fsync", (target) => {
        cpSync(many, target, { recursive: true });
        flushFiles(target, true);
      }),
      5,
    ),
  ];
}

/** One round only: the real one takes a minute. Its archive is then what a real one imports. */
async function againstPeer(): Promise<Ratio[]> {
  if (!existsSync(PEER)) return [];
  const archive = join(work, "real.bentomodel");
  const env = { ...process.env, BENTOML_HOME: home, BENTOML_DO_NOT_TRACK: "True" };
  const [ours, peer] = (await interleave(
    [
      exporting("big", "bentomodel"),
      {
        name: "bentoml",
        run: () => execFileSync(PEER, ["models", "export", "big:v1", archive], { env, stdio: "ignore" }),
      },
    ],
    { warmUp: 0, rounds: 1 },
  )) as [Timing, Timing];
  const xz = await pair(
    "import a real .bentomodel, 64 MiB",
    1.5,
    importing(archive),
    untar(archive, { unpack: "xz -dc", hash: false }),
    3,
  );
  return [
    { what: `export .bentomodel, 64 MiB (${statSync(archive).size} bytes theirs)`, ours, against: peer, atMost: 0.01 },
    xz,
  ];
}

async function measure(): Promise<Ratio[]> {
  try {
    const big = await model("big", { "weights.bin": weights(BIG) });
    await model("larger", { "weights.bin": weights(4 * BIG) });
    return [
      ...(await exports(big)),
      ...(await imports()),
      ...(await archiveMemory({ home, work, models: ["big", "larger"] })),
      ...(await againstPeer()),
    ];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

void report("archives", measure);
