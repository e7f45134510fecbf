import { readdirSync } from "node:fs";

/** What a process that runs apart may see. */
export interface IsolatedParts {
  /** Folders and files by the path that they have inside, with where they really are; left out where they are not. */
  readonly readable: ReadonlyMap<string, string>;
  /** Folders of its own that are empty at first, in memory. */
  readonly scratch: readonly string[];
  readonly scratchBytes: number;
  /** Working directory, one of them. */
  readonly work: string;
  /** Whether it may use the machine's GPUs. */
  readonly hasGpu: boolean;
}

/** Programs and libraries of the system, whichever way it keeps them. */
const SYSTEM = [
  ...["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"],
  ...["/nix/store", "/gnu/store", "/run/current-system/sw"],
];

/** Of the system's settings what libraries ask for; some of the others are secret. */
const SETTINGS = [
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "timezone"],
  ...["passwd", "group", "nsswitch.conf", "mime.types", "fonts"],
].map((name) => `/etc/${name}`);

/** How many processors and memory nodes there are. */
const MACHINE = ["/sys/devices/system/cpu", "/sys/devices/system/node"];

/** Drivers look for their devices there, and for their libraries. */
const GPU_FOLDERS = ["/sys", "/opt/rocm", "/run/opengl-driver", "/etc/OpenCL", "/etc/vulkan"];

/**
 * Options of bubblewrap, whose order counts. Nothing that is not named is there. Where the user is root the kernel's
 * own files in /proc are its property even without a capability: hence nothing below /proc can be written to.
 */
export function isolationOptions({ readable, scratch, scratchBytes, work, hasGpu }: IsolatedParts): string[] {
  const empty = (path: string) => ["--size", String(scratchBytes), "--tmpfs", path];
  const seen = [...SYSTEM, ...SETTINGS, ...(hasGpu ? GPU_FOLDERS : MACHINE)];
  return [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--disable-userns", "--cap-drop", "ALL", "--hostname", "modelbench", "--die-with-parent", "--new-session"],
    ...seen.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", ...empty("/dev/shm")],
    ...(hasGpu ? gpuDevices().flatMap((path) => ["--dev-bind-try", path, path]) : []),
    ...scratch.filter((path) => path !== work).flatMap(empty),
    ...[...readable].flatMap(([inside, real]) => ["--ro-bind-try", real, inside]),
    ...(scratch.includes(work) ? empty(work) : []),
    ...["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", work, "--"],
  ];
}

function gpuDevices(): string[] {
  const isGpu = /^(nvidia.*|dri|kfd|dxg)$/;
  try {
    return readdirSync("/dev")
      .filter((name) => isGpu.test(name))
      .map((name) => `/dev/${name}`);
  } catch {
    return [];
  }
}
