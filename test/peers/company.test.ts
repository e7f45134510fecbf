import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { bundleProcess } from "../fixtures/bundleProcess";
import { contentOf, draftOf } from "./companyContent";
import type { CompanyReport } from "./companyMember";
import { PYTHON } from "./realStore";

const OURS = 8;
const PEERS = 4;
const SECONDS = process.env["MODELBENCH_SOAK"] === "1" ? 600 : 60;

test(`${OURS} of our processes and ${PEERS} of BentoML on one store for ${SECONDS} s lose and tear nothing of ours`, async (t) => {
  const temp = mkdtempSync(join(tmpdir(), "modelbench-company-"));
  try {
    const home = join(temp, "home");
    await makeBase(home, temp);
    const bundle = await bundleProcess("test/peers/companyMember", join(temp, "member.cjs"));
    const peers = Array.from({ length: PEERS }, (_, i) => startPeer(home, i));
    // BentoML takes seconds to start; the others begin when it works.
    await Promise.all(peers.map(({ ready }) => ready));
    const ours = Array.from({ length: OURS }, (_, i) => startMember(bundle, home, temp, i));
    const reports = await Promise.all(ours);
    for (const { report } of peers) t.diagnostic(`a peer: ${await report}`);
    t.diagnostic(`ours: ${reports.map(({ saved, deleted, lists }) => `${saved.length}/${deleted.length}/${lists}`)}`);
    assert.deepEqual(
      reports.flatMap(({ unexpected }) => unexpected),
      [],
    );
    assert.ok(
      reports.every(({ saved }) => saved.length > 0),
      "a process of ours never got to save",
    );
    assertNothingLost(home, reports);
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
});

/** One version a name that nobody deletes: BentoML removes a name's folder with the last version that it sees. */
async function makeBase(home: string, temp: string): Promise<void> {
  const store = new ModelStore(home);
  for (const name of ["shared", "crowded"]) {
    const from = join(temp, "base.bin");
    writeFileSync(from, contentOf(`${name}:base`));
    await store.save(draftOf(name, "base"), [{ from, to: "weights.bin" }]);
  }
}

/** Every acknowledged version that was not deleted is in the store, and every one of ours anywhere is whole. */
function assertNothingLost(home: string, reports: readonly CompanyReport[]): void {
  const store = new ModelStore(home);
  const listed = new Set(store.list().models.map(({ tag }) => formatTag(tag)));
  const deleted = new Set(reports.flatMap((report) => report.deleted));
  const kept = reports.flatMap((report) => report.saved).filter((tag) => !deleted.has(tag));
  assert.deepEqual(
    kept.filter((tag) => !listed.has(tag)),
    [],
    "acknowledged and lost",
  );
  for (const tag of [...listed].filter((one) => /:(o|base)/.test(one))) {
    const [name = "", version = ""] = tag.split(":");
    const is = readFileSync(join(store.pathOf({ name, version }), "weights.bin"));
    assert.ok(is.equals(contentOf(tag)), `${tag} is torn`);
  }
  for (const { id, tag } of store.trash()) {
    const is = readFileSync(join(home, ".modelbench/trash", id, "model/weights.bin"));
    if (tag.version.startsWith("o")) assert.ok(is.equals(contentOf(formatTag(tag))), `${id} is torn`);
  }
  const ours = store.check().problems.filter(({ tag }) => tag !== undefined && /:(o|base)/.test(tag));
  assert.deepEqual(ours, []);
}

async function startMember(bundle: string, home: string, temp: string, number: number): Promise<CompanyReport> {
  const folder = join(temp, "members");
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [bundle, home, folder, String(number), String(SECONDS * 1000)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout)) as CompanyReport;
}

function startPeer(home: string, number: number): { readonly ready: Promise<void>; readonly report: Promise<string> } {
  const script = join(process.cwd(), "test/peers/companyPeer.py");
  const env = { ...process.env, BENTOML_DO_NOT_TRACK: "True" };
  const child: ChildProcess = spawn(PYTHON, ["-u", script, home, String(number), String(SECONDS)], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (!child.stdout) throw new Error("no output of the peer");
  const { stdout } = child;
  const ready = new Promise<void>((resolve) => stdout.once("data", () => resolve()));
  return { ready, report: text(stdout) };
}
