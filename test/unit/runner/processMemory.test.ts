import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fromProc, fromPs, parsePs, residentBytes, sumTrees } from "../../../src/runner/processMemory";

const MIB = 1024 ** 2;

/** Holds 32 MiB, and has a child that holds 96 MiB; says the child's id when both do. */
const HOLDER = `
  const held = Buffer.alloc(32 * ${MIB}, 1);
  const child = "const held = Buffer.alloc(96 * ${MIB}, 1); console.log(process.pid); setInterval(() => held, 1000);";
  const { spawn } = require("node:child_process");
  spawn(process.execPath, ["-e", child], { stdio: ["ignore", "inherit", "inherit"] });
  setInterval(() => held, 1000);`;

test("a process is measured with everything it started, from /proc and by ps alike", async () => {
  const holder = spawn(process.execPath, ["-e", HOLDER], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const pid = holder.pid ?? 0;
  try {
    const [line] = await once(createInterface(holder.stdout), "line");
    const child = Number(line);
    for (const read of [fromProc, fromPs, residentBytes]) {
      const bytes = await read([pid, child]);
      const [both, one] = [bytes.get(pid) ?? 0, bytes.get(child) ?? 0];
      assert.ok(one >= 96 * MIB, `${read.name}: ${one}`);
      assert.ok(both >= one + 32 * MIB, `${read.name}: ${both}`);
      // A Node process takes some tens of MiB for itself.
      assert.ok(both < 500 * MIB, `${read.name}: ${both}`);
    }
  } finally {
    process.kill(-pid, "SIGKILL");
  }
  await once(holder, "exit");
  for (const read of [fromProc, fromPs]) assert.deepEqual([...(await read([pid]))], [], read.name);
});

test("nobody asked for costs no reading, and lines that are none are left out", async () => {
  assert.equal((await residentBytes([])).size, 0);
  assert.deepEqual(parsePs("  PID PPID RSS\n    7     1   10\n 8 7 20 \n\nps: what?\n"), [
    { pid: 7, parent: 1, residentBytes: 10_240 },
    { pid: 8, parent: 7, residentBytes: 20_480 },
  ]);
});

test("a tree of processes is added up once, also one inside another or with a ring", () => {
  const one = (pid: number, parent: number) => ({ pid, parent, residentBytes: 10 ** pid });
  const all = [one(0, 0), one(1, 0), one(2, 1), one(3, 2), one(4, 9)];
  assert.deepEqual([...sumTrees(all, [0, 2, 4, 5])].sort(), [
    [0, 1111],
    [2, 1100],
    [4, 10_000],
  ]);
});
