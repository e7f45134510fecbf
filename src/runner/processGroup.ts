/** Ends a process group at once. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No such group: Windows has none, and nothing of it may be left.
  }
}
