import { join } from "node:path";
import { toWireError, type Warning } from "../base/errors";
import type { JobOptions } from "../base/ports";
import type { FileReader } from "../formats/fileReader";
import { KeptBytes } from "../formats/keptBytes";
import type { FileFormat } from "../formats/sniff";
import { assertClaim, type SafeMember } from "../store/archive/gate";
import { limitsWith, type SettableLimits } from "../store/archive/limits";
import { archiveFailure, type Found, openSource, readMembers } from "../store/archive/readMembers";
import type { ModelInfo } from "../store/model";
import type { FileContent } from "./content";
import { FORMAT_NOT_READ, formatOf, openContent } from "./contentFormats";
import type { InspectedFile } from "./modelContent";

/** What a reading of an archive tells, in the order of the stream. */
export interface ArchiveListener {
  /** A file begins to pass; directories are not told. */
  begun(path: string, bytes: number): void;
  /** The description of the model has passed. */
  model(info: ModelInfo): void;
  /** A file has passed. @param content stays open during the call; left out when it could not be read */
  passed(file: InspectedFile, content: FileContent | undefined, warnings: readonly Warning[]): void;
  /** Called between slices of work; the reading waits for it. */
  settle?(): Promise<void>;
}

/**
 * Reads a whole archive through the gate without writing anything: each file is kept in memory, up to 64 MiB of it,
 * while it passes, and looked into by the readers of its format.
 * @param source absolute path of the archive
 * @throws ModelbenchError `archive.unsafe` naming the member, `archive.corrupt`, `archive.format`, `file.access`,
 *   `yaml.invalid`, `tag.invalid`, `cancelled`
 */
export async function readArchive(
  source: string,
  listener: ArchiveListener,
  options: JobOptions & { readonly limits?: Partial<SettableLimits> | undefined } = {},
): Promise<Found> {
  const limits = limitsWith(options.limits);
  const kept = new KeptBytes();
  let member: SafeMember | undefined;
  const target = {
    open(opened: SafeMember) {
      member = opened;
      if (opened.kind !== "file") return;
      kept.begin(opened.bytes);
      listener.begun(opened.path, opened.bytes);
    },
    write: (chunk: Uint8Array) => kept.push(chunk),
    close() {
      if (member?.kind === "file") look(source, member, kept, listener);
      member = undefined;
    },
    settle: async () => listener.settle?.(),
  };
  try {
    const { archive, close } = openSource(source, limits);
    try {
      assertClaim(archive, limits);
      return await readMembers(archive, limits, target, (info) => listener.model(info), options);
    } finally {
      close();
    }
  } catch (error) {
    throw archiveFailure(error, source);
  }
}

/** What a member holds; one that cannot be read is a file with a warning, as it is in a model's folder. */
function look(source: string, { path, bytes }: SafeMember, kept: KeptBytes, listener: ArchiveListener): void {
  // Nothing is at this path, so what a member refers to beside itself is never looked for on the disk.
  const place = join(source, path);
  const open = () => kept.reader(path);
  const named = (text: string): string => text.replaceAll(place, path);
  // Its shards are members of their own.
  if (path.endsWith(SHARD_INDEX)) {
    listener.passed({ path, bytes, format: "safetensors" }, undefined, []);
    return;
  }
  try {
    const { format, content } = openContent(place, path, open);
    try {
      const warnings = content.warnings
        .filter(({ code }) => code !== FORMAT_NOT_READ && !code.startsWith(EXTERNAL))
        .map((warning) => ({ ...warning, message: named(warning.message), path }));
      listener.passed({ path, bytes, format, ...(content.pickle && { pickle: content.pickle }) }, content, warnings);
    } finally {
      content.close();
    }
  } catch (error) {
    const { message, offset } = toWireError(error);
    const warning = { code: "file.unreadable", message: named(message), path, ...(offset !== undefined && { offset }) };
    listener.passed({ path, bytes, format: formatIn(place, open) }, undefined, [warning]);
  }
}

/** The end of the name of a list of shards. */
const SHARD_INDEX = ".safetensors.index.json";
/** Warnings about data beside a model: beside a member lie other members. */
const EXTERNAL = "onnx.external";

function formatIn(place: string, open: () => FileReader): FileFormat {
  try {
    return formatOf(place, open);
  } catch {
    return "unknown";
  }
}
