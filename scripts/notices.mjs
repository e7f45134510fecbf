// The licences of everything that the package carries, in one text.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundles } from "../esbuild.mjs";
import { root } from "./places.mjs";

/**
 * One section a package: what the bundles' metafiles list, and what is shipped beside them.
 * @param {string[]} beside names of packages that are shipped as files
 */
export function notices(beside) {
  const names = new Set([...bundles.flatMap(bundledPackages), ...beside]);
  return [...names].sort().map(section).join("\n");
}

function bundledPackages({ name }) {
  const { inputs } = JSON.parse(readFileSync(join(root, `dist/meta/${name}.json`), "utf8"));
  return Object.keys(inputs).flatMap((path) => {
    const [, found] = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return found ? [found] : [];
  });
}

function section(name) {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
  return `${name} ${version}\n${"-".repeat(60)}\n${text}\n`;
}
