/** What a machine says about its processors. */
export interface Machine {
  /** A small text file by its absolute path; `undefined` where it is missing or cannot be read. */
  readonly read: (path: string) => string | undefined;
  /** Processors as the platform counts them for this process, at least 1. */
  readonly parallelism: () => number;
}

/** Where Linux mounts the control groups: version 2, alone or beside version 1. */
const CGROUP = "/sys/fs/cgroup";
const UNIFIED = [CGROUP, `${CGROUP}/unified`];

/**
 * How many threads of this process can run at once, at least 1: the least of what the platform says, of the
 * processors the scheduler allows, and of the CPU time that each control group from the process's own to the root
 * grants. Part of a processor counts as a whole one. Reads nothing before it is called, and afresh on every call.
 *
 * BentoML reads the quota of the root group only, and neither the groups below it nor the allowed processors.
 * @see bentoml/_internal/resource.py `query_cgroup_cpu_count`, 1.4.39; strategy.py rounds up the same way
 */
export function cpuCount(machine: Machine): number {
  const limits = [machine.parallelism(), allowedProcessors(machine), ...quotas(machine)];
  return Math.max(1, Math.ceil(Math.min(...limits.filter((limit) => limit !== undefined))));
}

/** How many processors the scheduler allows: `0-3,8` is five. */
function allowedProcessors({ read }: Machine): number | undefined {
  const list = /^Cpus_allowed_list:[ \t]*([0-9,-]+)[ \t]*$/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (list === undefined) return undefined;
  const counts = list.split(",").map((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return last - first + 1;
  });
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum > 0 ? sum : undefined;
}

/** Processors' worth of CPU time, one number a control group that limits it. */
function quotas(machine: Machine): number[] {
  const lines = (machine.read("/proc/self/cgroup") ?? "").split("\n");
  const groups = lines.flatMap((line) => {
    const [, controllers, path] = /^[0-9]+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers, path }];
  });
  const unified = groups.find(({ controllers }) => controllers === "")?.path;
  const old = groups.find(({ controllers }) => controllers.split(",").includes("cpu"));
  const oldRoots = new Set([`${CGROUP}/cpu`, `${CGROUP}/${old?.controllers ?? "cpu,cpuacct"}`]);
  const found = [
    ...places(UNIFIED, unified).map((folder) => quotaOfTwo(machine, folder)),
    ...places([...oldRoots], old?.path).map((folder) => quotaOfOne(machine, folder)),
  ];
  return found.filter((quota) => quota !== undefined);
}

/** The folders of a group and of all above it. In a container the group's own path may lie outside what is mounted. */
function places(roots: readonly string[], path = "/"): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  const inside = parts.includes("..") ? [] : parts;
  const levels = [...inside.keys()].map((depth) => `/${inside.slice(0, depth + 1).join("/")}`);
  return roots.flatMap((root) => ["", ...levels].map((level) => `${root}${level}`));
}

/** `cpu.max` is `QUOTA PERIOD` in microseconds, the quota `max` where there is none. */
function quotaOfTwo({ read }: Machine, folder: string): number | undefined {
  const [quota, period] = (read(`${folder}/cpu.max`) ?? "").trim().split(/\s+/);
  return quotient(quota, period);
}

/** The quota is -1 where there is none. */
function quotaOfOne({ read }: Machine, folder: string): number | undefined {
  const quota = read(`${folder}/cpu.cfs_quota_us`)?.trim();
  return quota === undefined ? undefined : quotient(quota, read(`${folder}/cpu.cfs_period_us`)?.trim());
}

function quotient(quota = "", period = ""): number | undefined {
  const isLimit = /^[0-9]+$/.test(quota) && /^[0-9]+$/.test(period) && Number(period) > 0;
  return isLimit ? Number(quota) / Number(period) : undefined;
}
