import { basename, extname, join, resolve, sep } from "node:path";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import type { Tag } from "../model";
import { statOf } from "../modelFiles";
import type { ExportFormat } from "./archiveJobs";

/** Containers that are told apart by their first bytes; the name of a file is never believed. */
export type Container = "xz" | "gzip" | "tar";

const XZ = Buffer.from("\xfd7zXZ\0", "latin1");
const GZIP = Buffer.from([0x1f, 0x8b]);
const LATER: readonly (readonly [Buffer, string])[] = [
  [Buffer.from("BZh"), "a .tar.bz2 archive"],
  [Buffer.from("PK\x03\x04", "latin1"), "a .zip archive"],
  [Buffer.from("PK\x05\x06", "latin1"), "a .zip archive"],
];

/**
 * What a file is by its content.
 * @throws ModelbenchError `archive.format` for an archive of a kind that this version does not read, or for no archive
 */
export function sniffContainer(reader: PositionalReader): Container {
  const head = Buffer.from(reader.read(0, Math.min(512, reader.size)));
  if (startsWith(head, XZ)) return "xz";
  if (startsWith(head, GZIP)) return "gzip";
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  const later = LATER.find(([magic]) => startsWith(head, magic));
  if (later) throw laterFormat(`This is ${later[1]}; it`);
  throw new ModelbenchError("archive.format", "This is no archive: neither tar nor xz nor gzip by its first bytes.", {
    remedy: "Import a .bentomodel, .tar, .tar.gz or .tar.xz file.",
  });
}

/** What BentoML's exporter makes of an extension; the last one counts, in lower case only. */
const BY_EXTENSION: ReadonlyMap<string, ExportFormat | "later"> = new Map([
  [".bentomodel", "bentomodel"],
  [".tar", "tar"],
  [".gz", "tar.gz"],
  [".xz", "later"],
  [".bz2", "later"],
  [".zip", "later"],
]);

/**
 * Where an export goes and in which format, by BentoML's rules: a folder gets `<name>-<version>.<format>`, a known
 * extension chooses the format, any other name gets `.bentomodel` behind it; a format that is given wins.
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
  const intoFolder =
    given === "" || given.endsWith("/") || given.endsWith(sep) || statOf(target)?.isDirectory() === true;
  if (intoFolder) {
    const chosen = format ?? "bentomodel";
    return { path: join(target, `${tag.name}-${tag.version}.${chosen}`), format: chosen };
  }
  const chosen = format ?? formatOf(target);
  const complete = chosen !== "bentomodel" || target.endsWith(".bentomodel");
  return { path: complete ? target : `${target}.bentomodel`, format: chosen };
}

/** The failure for what later versions will do. */
export function laterFormat(what: string): ModelbenchError {
  return new ModelbenchError("archive.format", `${what} is not supported yet; a later version will.`, {
    remedy: "Use .bentomodel, .tar or .tar.gz.",
  });
}

function formatOf(target: string): ExportFormat {
  const extension = extname(basename(target));
  const format = BY_EXTENSION.get(extension) ?? "bentomodel";
  if (format === "later") throw laterFormat(`Writing ${extension} archives`);
  return format;
}

function startsWith(head: Buffer, magic: Buffer): boolean {
  return head.subarray(0, magic.length).equals(magic);
}
