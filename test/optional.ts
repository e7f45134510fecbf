import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a machine may truly lack; test/optional.json holds the reason of each. */
export type Optional = "gpu" | "vulkan" | "ptrace" | "userNamespaces" | "bubblewrap" | "desktop";

/** Where Debian's chromium has a Vulkan that renders in software. */
export const SOFTWARE_VULKAN = "/usr/lib/chromium";

/** What keeping apart needs of it, the namespaces above all. */
const BUBBLEWRAP = [
  ...["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"],
  ...["--size", "65536", "--tmpfs", "/tmp", "true"],
];

const detectors: Readonly<Record<Optional, () => boolean>> = {
  gpu: () => existsSync("/dev/nvidia0"),
  vulkan: () => ["libvulkan.so.1", "vk_swiftshader_icd.json"].every((name) => existsSync(join(SOFTWARE_VULKAN, name))),
  ptrace: () => succeeds("strace", ["-f", "-o", "/dev/null", "true"]),
  userNamespaces: () => succeeds("unshare", ["--user", "--map-root-user", "true"]),
  bubblewrap: () => succeeds("/usr/bin/bwrap", BUBBLEWRAP),
  desktop: () => Boolean(process.env["DISPLAY"]) && succeeds("code", ["--version"]),
};

/**
 * `false` when the machine has it, else why a test that needs it is left out: `test(name, { skip: missing("ptrace") })`.
 * Any other skip fails the whole run in CI.
 */
export function missing(what: Optional): string | false {
  if (detectors[what]()) return false;
  const reasons: Record<string, string> = JSON.parse(readFileSync(join(process.cwd(), "test/optional.json"), "utf8"));
  return `${what}: ${reasons[what]}`;
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}
