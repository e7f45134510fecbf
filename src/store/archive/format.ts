import { basename, extname, join, resolve, sep } from "node:path";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import type { Tag } from "../model";
import { statOf } from "../modelFiles";
import type { ArchiveKind, ExportFormat } from "./archiveJobs";

const MAGIC: readonly (readonly [Buffer, Exclude<ArchiveKind, "folder">])[] = [
  [Buffer.from("\xfd7zXZ\0", "latin1"), "tar.xz"],
  [Buffer.from([0x1f, 0x8b]), "tar.gz"],
  [Buffer.from("BZh"), "tar.bz2"],
  [Buffer.from("PK\x03\x04", "latin1"), "zip"],
  [Buffer.from("PK\x05\x06", "latin1"), "zip"],
];

/**
 * What a file is by its content; its name is never believed.
 * @throws ModelbenchError `archive.format` for what is no archive
 */
export function sniffContainer(reader: PositionalReader): Exclude<ArchiveKind, "folder"> {
  const head = Buffer.from(reader.read(0, Math.min(512, reader.size)));
  const known = MAGIC.find(([magic]) => head.subarray(0, magic.length).equals(magic));
  if (known) return known[1];
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  throw new ModelbenchError(
    "archive.format",
    "This is no archive: neither tar, xz, gzip, bzip2 nor zip by its first bytes.",
    {
      remedy: "Import a .bentomodel, .tar, .tar.gz, .tar.xz, .tar.bz2 or .zip file, or a folder.",
    },
  );
}

/** What BentoML's exporter makes of an extension; the last one counts, in lower case only. */
const BY_EXTENSION: ReadonlyMap<string, ExportFormat> = new Map([
  [".bentomodel", "bentomodel"],
  [".tar", "tar"],
  [".gz", "tar.gz"],
  [".xz", "tar.xz"],
  [".bz2", "tar.bz2"],
  [".zip", "zip"],
]);

/**
 * Where an export goes and in which format, by BentoML's rules: in a folder it is called `<name>-<version>.<format>`, a
 * known extension chooses the format, any other name gets `.bentomodel` behind it; a format that is given wins. The
 * format `folder` makes the folder that is named, or inside one that is there a folder called by the version.
 * @see bentoml 1.4.39 _internal/exportable.py
 * @throws ModelbenchError `archive.format`
 */
export function resolveDestination(
  tag: Tag,
  { destination, format, cwd }: { destination?: string | undefined; format?: ExportFormat | undefined; cwd: string },
): { readonly path: string; readonly format: ExportFormat } {
  if (destination?.includes("://")) throw laterFormat(`A remote destination such as ${visible(destination)}`);
  const given = destination ?? "";
  const target = resolve(cwd, given);
  const isFolder = given === "" || statOf(target)?.isDirectory() === true;
  if (format === "folder") return { path: isFolder ? join(target, tag.version) : target, format };
  if (isFolder || given.endsWith("/") || given.endsWith(sep)) {
    const chosen = format ?? "bentomodel";
    return { path: join(target, `${tag.name}-${tag.version}.${chosen}`), format: chosen };
  }
  const chosen = format ?? BY_EXTENSION.get(extname(basename(target))) ?? "bentomodel";
  const complete = chosen !== "bentomodel" || target.endsWith(".bentomodel");
  return { path: complete ? target : `${target}.bentomodel`, format: chosen };
}

/** The failure for what later versions will do. */
export function laterFormat(what: string): ModelbenchError {
  return new ModelbenchError("archive.format", `${what} is not supported yet; a later version will.`, {
    remedy: "Use a file or folder on this machine.",
  });
}
