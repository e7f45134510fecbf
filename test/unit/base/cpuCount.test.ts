import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuCount } from "../../../src/base/cpuCount";

/** The count on a machine of `parallelism` processors that has these files only. */
function count(files: Readonly<Record<string, string>>, parallelism = 64): number {
  return cpuCount({ read: (path) => files[path], parallelism: () => parallelism });
}

const status = (list: string) => ({ "/proc/self/status": `Name:\tnode\nCpus_allowed_list:\t${list}\nThreads:\t7\n` });
const two = (path: string) => ({ "/proc/self/cgroup": `0::${path}\n` });
const one = (path: string) => ({
  "/proc/self/cgroup": `9:name=systemd:/other\n3:cpuset:/sets\n2:cpu,cpuacct:${path}\n1:memory:/other\n0::/init.scope\n`,
});
const max = (folder: string, text: string) => ({ [`/sys/fs/cgroup${folder}/cpu.max`]: `${text}\n` });
const cfs = (folder: string, quota: number, period = 100_000) => ({
  [`/sys/fs/cgroup/${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`/sys/fs/cgroup/${folder}/cpu.cfs_period_us`]: `${period}\n`,
});

test("without any of Linux's files it is what the platform says, at least 1", () => {
  assert.equal(count({}, 6), 6);
  assert.equal(count({}, 0), 1);
});

test("processors the scheduler does not allow are not counted", () => {
  assert.equal(count(status("0-3,8")), 5);
  assert.equal(count(status("7")), 1);
  assert.equal(count(status("0-63"), 8), 8);
  assert.equal(count(status("")), 64);
});

test("a quota of version 2 counts in whole processors, rounded up", () => {
  assert.equal(count({ ...two("/"), ...max("", "250000 100000") }), 3);
  assert.equal(count({ ...two("/"), ...max("", "10000 100000") }), 1);
  assert.equal(count({ ...two("/"), ...max("", "0 100000") }), 1);
  assert.equal(count({ ...two("/"), ...max("", "max 100000") }), 64);
  assert.equal(count({ ...two("/"), ...max("", "800000 100000") }, 2), 2);
});

test("the tightest group between the process's own and the root decides", () => {
  const group = two("/user.slice/app.slice/code.scope");
  assert.equal(count({ ...group, ...max("/user.slice/app.slice/code.scope", "400000 100000") }), 4);
  assert.equal(count({ ...group, ...max("/user.slice/app.slice/code.scope", "max 100000") }), 64);
  const tighter = { ...max("/user.slice/app.slice/code.scope", "max 100000"), ...max("/user.slice", "200000 100000") };
  assert.equal(count({ ...group, ...tighter }), 2);
  assert.equal(count({ ...group, ...max("/other.slice", "100000 100000") }), 64);
});

test("in a container, where the group's path is not that of its host, the root as mounted counts", () => {
  assert.equal(count({ ...two("/../../other"), ...max("", "300000 100000") }), 3);
  assert.equal(count({ ...one("/docker/0123"), ...cfs("cpu", 150_000) }), 2);
  assert.equal(count(max("", "500000 100000")), 5);
});

test("a quota of version 1 counts below its own mount, whatever that is called; -1 is none", () => {
  assert.equal(count({ ...one("/jobs/a"), ...cfs("cpu,cpuacct/jobs/a", 350_000) }), 4);
  assert.equal(count({ ...one("/jobs/a"), ...cfs("cpu/jobs", 50_000, 25_000) }), 2);
  assert.equal(count({ ...one("/jobs/a"), ...cfs("cpu", -1), ...cfs("cpu/jobs/a", -1) }), 64);
  assert.equal(count({ ...one("/jobs/a"), ...cfs("cpu/sets", 100_000) }), 64);
});

test("version 2 beside version 1 lies in a folder of its own", () => {
  assert.equal(count({ ...one("/"), ...max("/unified/init.scope", "700000 100000") }), 7);
});

test("files that hold something else limit nothing", () => {
  assert.equal(count({ ...two("/"), ...max("", "") }), 64);
  assert.equal(count({ ...two("/"), ...max("", "100000") }), 64);
  assert.equal(count({ ...two("/"), ...max("", "100000 0") }), 64);
  assert.equal(count({ ...two("/"), ...max("", "-1 100000") }), 64);
  assert.equal(count({ "/proc/self/cgroup": "nonsense\n::\n", "/proc/self/status": "Cpus_allowed_list: x\n" }), 64);
});

test("all limits hold together", () => {
  assert.equal(count({ ...status("0-15"), ...two("/a"), ...max("/a", "300000 100000") }, 32), 3);
  assert.equal(count({ ...status("0-1"), ...two("/a"), ...max("/a", "300000 100000") }, 32), 2);
});
