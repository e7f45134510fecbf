import type { ProjectCode } from "../../../src/extension/projectCode";

/** A project without files: what a test has of it is given. */
export function fakeProject(lines: string[], project: Partial<ProjectCode> = {}): ProjectCode {
  return {
    read: async () => undefined,
    folderOf: () => undefined,
    async make() {
      throw new Error("nothing is made here");
    },
    async openCommit(folder, hash) {
      lines.push(`commit: ${hash} of ${folder}`);
      return true;
    },
    ...project,
  };
}
