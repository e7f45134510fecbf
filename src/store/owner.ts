import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { errno } from "./failure";

/**
 * Names what this process stages: `<pid>-<start>-<random>`. `start` is the process's start in clock ticks and a
 * short digest of the machine, its boot and its pid namespace, because containers and machines may share a store.
 */
export function newStagingName(): string {
  return `${process.pid}-${startOf(process.pid) ?? "0"}.${MACHINE}-${randomBytes(6).toString("hex")}`;
}

/**
 * Whether the process that staged something under this name still runs: `gone` and `alive` are certain, `unknown`
 * is another machine, an earlier boot, another container, or a name of nobody's.
 */
function ownerState(stagingName: string): "alive" | "gone" | "unknown" {
  const match = /^(\d+)-(\d+)\.([0-9a-f]+)-[0-9a-f]+$/.exec(stagingName);
  if (!match || match[3] !== MACHINE) return "unknown";
  const pid = Number(match[1]);
  const start = startOf(pid);
  if (start !== undefined) return start === match[2] ? "alive" : "gone";
  return answersSignals(pid) ? "unknown" : "gone";
}

/** How long what nobody can be asked about (another machine, an earlier boot) is left alone. */
const UNKNOWN_OWNER_MS = 24 * 3600 * 1000;

/**
 * Whether something is left over: its owner is gone, or cannot be asked and has not touched it for `unknownMs`.
 * @param mtimeMs asked only where the owner cannot be; `undefined` for what is not there any more
 */
export function isLeftover(
  owner: string,
  mtimeMs: () => number | undefined,
  nowMs: number,
  unknownMs = UNKNOWN_OWNER_MS,
): boolean {
  const state = ownerState(owner);
  if (state !== "unknown") return state === "gone";
  const touchedMs = mtimeMs();
  return touchedMs !== undefined && nowMs - touchedMs > unknownMs;
}

/**
 * Field 22 of /proc/<pid>/stat, or `ended` for a process that only waits for its parent to ask; `undefined` where
 * there is no such process or no /proc.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command's name may hold blanks and parentheses: fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errno(error) === "EPERM";
  }
}

const MACHINE = createHash("sha256")
  .update(readOr(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1"), hostname()))
  .update(readOr(() => readlinkSync("/proc/self/ns/pid"), ""))
  .digest("hex")
  .slice(0, 8);

function readOr(read: () => string, otherwise: string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
