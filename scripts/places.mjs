// Where things lie in the working tree.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Everything that runs write and nobody keeps. */
export const out = join(root, "out");

/** Folder of a VS Code server's own package. @param {"current" | "minimum"} which */
export function serverFolder(which) {
  return join(root, "test/servers", which);
}

/** Where `npm run package` puts the extension, and where the tests take it from. */
export const vsix = join(out, "modelbench-linux-x64.vsix");
