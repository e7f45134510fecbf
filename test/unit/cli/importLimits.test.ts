import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { modelYaml } from "../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../fixtures/rawTar";

let kit: CliKit;
before(async () => {
  kit = await openCliKit();
});
after(() => kit.dispose());

/** A gzipped model of three members, one of them `zeros` bytes that shrink to nothing. */
function archiveOf(zeros: number): string {
  const source = join(kit.folder, `${zeros}.tar.gz`);
  const yaml = rawMember({ name: "model.yaml", content: modelYaml() });
  const weights = rawMember({ name: "weights.bin", content: Buffer.alloc(zeros) });
  writeFileSync(source, gzipSync(tarOf(yaml, weights, rawMember({ name: "folder/", type: "5" }))));
  return source;
}

async function importWith(source: string, ...options: string[]) {
  const { code, stderr } = await kit.run(["import", source, ...options, "-o", "json"]);
  return { code, error: stderr === "" ? undefined : JSON.parse(stderr).error };
}

test("each limit of import is an option, and a refusal names the one that would have helped", async () => {
  const small = archiveOf(100_000);
  const dense = archiveOf(65 * 1024 ** 2);
  for (const [source, option, value, pattern] of [
    [small, "--max-members", "2", /more than 2 members/],
    [small, "--max-bytes", "50000", /more than 50000 bytes/],
    [dense, "--max-ratio", "100", /more than 100 times its size/],
  ] as const) {
    const { code, error } = await importWith(source, option, value);
    assert.deepEqual([code, error.code], [1, "archive.unsafe"], option);
    assert.match(error.message, pattern);
    assert.ok(error.remedy.includes(option) && error.remedy.includes("modelbench.import.max"), error.remedy);
    assert.deepEqual(readdirSync(join(kit.home, ".modelbench", "staging")), []);
  }
});

test("what the usual limits refuse comes in when who imports it says so", async () => {
  const dense = archiveOf(65 * 1024 ** 2);
  assert.equal((await importWith(dense)).error.code, "archive.unsafe");
  assert.deepEqual(await importWith(dense, "--max-ratio=5000"), { code: 0, error: undefined });
});

test("a limit that is no whole number from 1 on is a usage error", async () => {
  for (const value of ["0", "-1", "1.5", "1e3", "8GiB", "", "9007199254740993"]) {
    const { code, error } = await importWith("none.tar", `--max-bytes=${value}`);
    assert.deepEqual([code, error.code], [2, "usage"], value);
    assert.match(error.message, /--max-bytes/);
  }
});
