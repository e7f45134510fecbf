import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runDigestFiles } from "../../../src/store/namedFiles";
import { tempFolder } from "./storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

test("a large data set is told to be read on, so that it is not taken for a hang", async () => {
  const paths = ["a", "b"].map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, Buffer.alloc(3 << 20));
  const told: number[] = [];
  const named = await runDigestFiles({ paths }, { onProgress: ({ doneBytes }) => void told.push(doneBytes) });
  assert.deepEqual(
    named.map(({ bytes }) => bytes),
    [3 << 20, 3 << 20],
  );
  assert.deepEqual(
    told,
    [1, 2, 3, 4, 5, 6].map((mebibytes) => mebibytes << 20),
  );
});
