import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import test, { after } from "node:test";
import type { Compression, ExportFormat } from "../../src/store/archive/archiveJobs";
import { exportModel } from "../../src/store/archive/exportModel";
import { resolveDestination } from "../../src/store/archive/format";
import { importArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { runSeed } from "../fixtures/random";
import { treeOf } from "../fixtures/tree";
import { ArchivePeer } from "./archivePeer";

const TAG = { name: "peer_model", version: "v1" };
/** What the real one calls a format, and what we do. */
const FORMATS: readonly (readonly [string, ExportFormat])[] = [
  ["bentomodel", "bentomodel"],
  ["tar", "tar"],
  ["gz", "tar.gz"],
  ["xz", "tar.xz"],
  ["bz2", "tar.bz2"],
  ["zip", "zip"],
  ["folder", "folder"],
];
const WAYS: readonly { readonly format: ExportFormat; readonly form: string; readonly compression?: Compression }[] = [
  ...FORMATS.map(([form, format]) => ({ format, form })),
  { format: "bentomodel", form: "bentomodel", compression: "small" },
  { format: "tar.gz", form: "gz", compression: "small" },
  { format: "zip", form: "zip", compression: "small" },
  { format: "zip", form: "zip", compression: "stored" },
];
const MANY = 200;

const folder = mkdtempSync(join(tmpdir(), "modelbench-peer-archive-"));
const peers: ArchivePeer[] = [];
after(() => {
  for (const peer of peers) peer.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A real BentoML with a model in its store. */
async function startPeer(version: string, venv: string) {
  const place = join(folder, version);
  mkdirSync(place);
  const peer = new ArchivePeer(venv, join(place, "home"));
  peers.push(peer);
  const path = String(await peer.ask({ do: "make" }));
  // Versions before 1.2 lose the executable bits on saving.
  return { place, peer, original: treeOf(path), executable: lstatSync(join(path, "run.sh")).mode & 0o111 };
}

for (const [version, venv] of [
  ["1.4.39", "venv"],
  ["1.1.11", "venv-bento11"],
] as const) {
  let starting: ReturnType<typeof startPeer> | undefined;
  const started = () => (starting ??= startPeer(version, venv));

  test(`what bentoml ${version} exports is imported byte for byte, in every format`, async () => {
    const { place, peer, original, executable } = await started();
    for (const [form] of FORMATS) {
      const source = join(place, `theirs.${form}`);
      await peer.ask({ do: "export", path: source, form });
      const store = new ModelStore(join(place, `ours-${form}`));
      const result = await importArchive(store, { source, onConflict: "fail" });
      assert.deepEqual([result.tag, result.action, result.from], ["peer_model:v1", "imported", source]);
      const path = store.pathOf(TAG);
      // Of a folder the real one copies only what is in it, so an empty one is lost before we see it.
      assert.deepEqual(treeOf(path), form === "folder" ? treeOf(source) : original, form);
      if (form !== "folder") assert.equal(lstatSync(join(path, "run.sh")).mode & 0o111, executable, form);
      assert.equal(store.latestOf("peer_model"), "v1");
    }
  });

  test(`what we export is imported by bentoml ${version} byte for byte, in every format`, async () => {
    const { place, peer, original } = await started();
    const store = new ModelStore(join(place, "ours"));
    await peer.ask({ do: "export", path: join(place, "for-ours.tar") });
    await importArchive(store, { source: join(place, "for-ours.tar"), onConflict: "fail" });
    for (const { form, ...way } of WAYS) {
      const destination = mkdtempSync(join(place, "out-"));
      const request = { tag: "peer_model:latest", destination: join(destination, `ours.${form}`), ...way };
      const { path } = await exportModel(store, request);
      const imported = String(await peer.ask({ do: "import", path, tag: "peer_model:v1", form }));
      assert.deepEqual(treeOf(imported), original, JSON.stringify(way));
    }
  });

  test(`of ${MANY} archives exported by bentoml ${version} none is refused, and all trees are the same`, async () => {
    const { place, peer } = await started();
    const exported = join(place, "many");
    mkdirSync(exported);
    const seed = runSeed();
    const made = (await peer.ask({ do: "makeAndExport", seed, count: MANY, folder: exported })) as [string, string][];
    assert.equal(made.length, MANY);
    const store = new ModelStore(join(place, "of-many"));
    for (const [source, path] of made) {
      const { tag } = await importArchive(store, { source, onConflict: "fail" });
      const [name = "", of = ""] = tag.split(":");
      const theirs = treeOf(source.endsWith(".folder") ? source : path);
      assert.deepEqual(treeOf(store.pathOf({ name, version: of })), theirs, `${source}, seed ${seed}`);
    }
  });
}

test("destinations are named as the real one names them", async () => {
  const { peer } = await startPeer("names", "venv");
  const names = [
    "",
    "dir",
    "dir/",
    "new.bentomodel",
    "a.tar",
    "a.tar.gz",
    "q.gz",
    "a.tar.xz",
    "b.xz",
    "a.bz2",
    "a.zip",
  ];
  const odd = ["noext", "y.tgz", "z.BENTOMODEL", "z.TAR", "a.lzma", ".tar", "a.b.zip", "x.", "q.", "dir.zip/"];
  const given: readonly (readonly [string, "bentomodel" | "tar" | "zip" | "folder"])[] = [
    ["q2.bin", "bentomodel"],
    ["q2.bin", "tar"],
    ["q2.tar", "zip"],
    ["dir", "zip"],
    ["absent", "folder"],
    ["dir", "folder"],
    ["absent/", "folder"],
  ];
  for (const [name, form] of [...[...names, ...odd].map((n) => [n, undefined] as const), ...given]) {
    const [theirs, ours] = [mkdtempSync(join(folder, "cwd-")), mkdtempSync(join(folder, "cwd-"))];
    for (const cwd of [theirs, ours]) for (const made of ["dir", "dir.zip"]) mkdirSync(join(cwd, made));
    const listed = () => [...treeOf(theirs).keys()].filter((path) => path !== "dir" && path !== "dir.zip");
    await peer.ask({ do: "export", path: `${theirs}/${name}`, ...(form && { form }) });
    const target = resolveDestination(TAG, { destination: name, format: form, cwd: ours });
    const path = relative(ours, target.path);
    const expected = form === "folder" ? join(path, "model.yaml") : path;
    assert.ok(listed().includes(expected), `${name} ${form}: ${expected}, not ${listed().slice(0, 3)}`);
  }
});

test("a version given by us on import is accepted by the real bentoml", async () => {
  const { place, peer, original } = await startPeer("renamed", "venv");
  const store = new ModelStore(join(place, "ours"));
  const source = join(place, "theirs.tar");
  await peer.ask({ do: "export", path: source });
  await importArchive(store, { source, onConflict: "fail" });
  const { tag, action } = await importArchive(store, { source, onConflict: "new-version" });
  assert.equal(action, "new-version");
  const { path } = await exportModel(store, { tag, destination: `${place}/` });
  const imported = String(await peer.ask({ do: "import", path, tag }));
  const yaml = readFileSync(join(imported, "model.yaml"), "utf8");
  const before = Buffer.from(original.get("model.yaml") ?? "", "base64").toString();
  assert.equal(yaml, before.replace("version: v1", `version: ${tag.split(":")[1]}`));
});

test("our archives satisfy decoders that are not ours", async () => {
  const { place, peer } = await startPeer("decoders", "venv");
  const source = join(place, "theirs.tar");
  await peer.ask({ do: "export", path: source });
  const store = new ModelStore(join(place, "ours"));
  await importArchive(store, { source, onConflict: "fail" });
  const pack = async (format: ExportFormat, compression?: Compression) => {
    const destination = mkdtempSync(join(place, "out-"));
    const way = { format, ...(compression && { compression }) };
    return (await exportModel(store, { tag: "peer_model", destination, ...way })).path;
  };
  const plain = lstatSync(await pack("tar")).size;
  const accepts = (...command: [string, ...string[]]) => {
    const [program, ...args] = command;
    const { error, status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    // Where there is no such command, Python's modules are the same libraries.
    if (!error) assert.deepEqual([status, stderr], [0, ""], command.join(" "));
  };
  for (const compression of ["stored", "small"] as const) {
    const xz = await pack("bentomodel", compression);
    accepts("xz", "-t", "--format=xz", xz);
    assert.equal(await peer.ask({ do: "unxz", path: xz }), plain);
    accepts("gzip", "-t", await pack("tar.gz", compression));
    accepts("unzip", "-tqq", await pack("zip", compression));
  }
  accepts("bzip2", "-t", await pack("tar.bz2"));
});
