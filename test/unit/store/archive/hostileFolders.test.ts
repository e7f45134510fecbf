import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import type { ErrorCode } from "../../../../src/base/errors";
import { modelYaml } from "../../../fixtures/hostileArchives";
import { badNames, COLLISIONS, GOOD_NAMES } from "../../../fixtures/hostileNames";
import { tempFolder } from "../storeKit";
import { attempt } from "./attempt";

const { path: folder, remove } = tempFolder();
after(remove);

/** A folder with a good model and what `more` puts beside it. */
const modelWith = (more: (path: string) => void) => (path: string) => {
  mkdirSync(path);
  writeFileSync(join(path, "model.yaml"), modelYaml());
  writeFileSync(join(path, "saved_model.bin"), Buffer.alloc(3000, 7));
  more(path);
};

const put = (path: string, name: string | Buffer) =>
  writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name)]), "content");

/** What this system's folders can hold as one name. */
const canBeHere = ([, name]: readonly [string, string | Buffer]) =>
  name.length > 0 && !/[/\0]/.test(Buffer.from(name).toString("latin1"));

for (const [id, name] of badNames().filter(canBeHere)) {
  test(`a folder with a name of this kind is refused: ${id}`, async () => {
    const { error } = await attempt(
      folder,
      "model",
      modelWith((path) => put(path, name)),
    );
    assert.equal(error?.code, "archive.unsafe", error?.message ?? "accepted");
  });
}

for (const [id, names] of COLLISIONS.filter(
  ([, paths]) => new Set(paths).size === 2 && !paths.some((p) => /\//.test(p)),
)) {
  test(`a folder with names that collide elsewhere is refused: ${id}`, async () => {
    const { error } = await attempt(
      folder,
      "model",
      modelWith((path) => {
        for (const name of names) put(path, name);
      }),
    );
    assert.equal(error?.code, "archive.unsafe", error?.message ?? "accepted");
    assert.match(error?.message ?? "", /which collide/);
  });
}

for (const [id, names] of GOOD_NAMES) {
  test(`a folder with good names is imported: ${id}`, async () => {
    const { error, tree } = await attempt(
      folder,
      "model",
      modelWith((path) => {
        for (const name of names) {
          mkdirSync(join(path, name, name.endsWith("/") ? "." : ".."), { recursive: true });
          if (!name.endsWith("/")) put(path, name);
        }
      }),
    );
    assert.equal(error, undefined, error?.message);
    for (const name of names) assert.ok(tree?.has(name.replace(/\/$/, "")), name);
  });
}

const kinds: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ["a link to a file outside", (path) => symlinkSync("/etc/hostname", join(path, "leak")), /symbolic link, "leak"/],
  ["a link to a folder outside", (path) => symlinkSync("/etc", join(path, "leak")), /symbolic link, "leak"/],
  ["a link inside", (path) => symlinkSync("saved_model.bin", join(path, "copy")), /symbolic link, "copy"/],
  ["a link in a circle", (path) => symlinkSync(".", join(path, "round")), /symbolic link, "round"/],
  ["a link to nothing", (path) => symlinkSync("nowhere", join(path, "dangling")), /symbolic link, "dangling"/],
  ["a pipe", (path) => void spawnSync("mkfifo", [join(path, "pipe")]), /neither a file nor a folder, "pipe"/],
];

for (const [id, make, names] of kinds) {
  test(`a folder that holds ${id} is refused and nothing waits for it`, async () => {
    const { error } = await attempt(folder, "model", modelWith(make));
    assert.equal(error?.code, "archive.unsafe", error?.message ?? "accepted");
    assert.match(error?.message ?? "", names);
  });
}

test("a folder that holds a socket is refused", async () => {
  // Made from inside, because a socket's path must be short, by a process that ends itself so that it stays behind.
  const script = "require('net').createServer().listen('plug', () => process.kill(process.pid, 'SIGKILL'))";
  const make = modelWith((path) => void spawnSync(process.execPath, ["-e", script], { cwd: path }));
  const { error } = await attempt(folder, "model", make);
  assert.equal(error?.code, "archive.unsafe", error?.message ?? "accepted");
  assert.match(error?.message ?? "", /neither a file nor a folder, "plug"/);
});

test("hard links and special bits of a folder become plain files of their own", async () => {
  const { error, tree } = await attempt(
    folder,
    "model",
    modelWith((path) => {
      linkSync(join(path, "saved_model.bin"), join(path, "second"));
      writeFileSync(join(path, "tool"), "x");
      chmodSync(join(path, "tool"), 0o6755);
    }),
  );
  assert.equal(error, undefined, error?.message);
  assert.equal(tree?.get("second"), tree?.get("saved_model.bin"));
});

test("limits hold for folders too", async () => {
  const refused: readonly (readonly [object, ErrorCode])[] = [
    [{ members: 3 }, "archive.unsafe"],
    [{ expandedBytes: 3000 }, "archive.unsafe"],
  ];
  for (const [limits, code] of refused) {
    const make = modelWith((path) => {
      put(path, "a");
      put(path, "b");
    });
    assert.equal((await attempt(folder, "model", make, limits)).error?.code, code, JSON.stringify(limits));
  }
});

test("a folder that is no model is refused, and one level too high is told", async () => {
  const empty = await attempt(folder, "model", (path) => mkdirSync(path));
  assert.equal(empty.error?.code, "archive.unsafe");
  const above = await attempt(folder, "model", (path) => {
    mkdirSync(path);
    modelWith(() => undefined)(join(path, "inner"));
  });
  assert.equal(above.error?.code, "archive.unsafe");
  assert.match(above.error?.remedy ?? "", /inner\/model\.yaml/);
});
