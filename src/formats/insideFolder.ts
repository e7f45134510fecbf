import { isAbsolute, relative, sep } from "node:path";

/**
 * Where a path is below a folder, as the system writes it; empty for the folder itself, `undefined` for what is not
 * below. Both absolute; links are not followed.
 */
export function insideFolder(folder: string, path: string): string | undefined {
  const inside = relative(folder, path);
  return inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? undefined : inside;
}
