import { ModelbenchError } from "../../base/errors";
import type { JobOptions, PositionalReader } from "../../base/ports";
import { KeptBytes } from "../../formats/keptBytes";
import { readNpyHeader } from "../../formats/npy";
import { type PickleFacts, worseVerdict } from "../../formats/pickle/facts";
import { readPickleFile } from "../../formats/pickle/pickleFile";
import { scanObjectArray } from "../../formats/pickle/scanPickle";
import { claimedFormat, unclaimedFormat } from "../../formats/sniff";
import { lstatOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import { formatTag } from "../tag";
import type { ArchivePreview, PreviewedFile, PreviewedPickle, PreviewRequest } from "./archiveJobs";
import { assertClaim, type SafeMember } from "./gate";
import { limitsWith } from "./limits";
import { archiveFailure, archivePath, openSource, readMembers } from "./readMembers";

/** A preview names this many files; of more it says how many. */
const SHOWN_FILES = 200;

/**
 * The work behind `previewArchiveJob`: reads and judges a whole archive as an import would, and writes nothing.
 * @throws ModelbenchError `archive.unsafe`, `archive.corrupt`, `archive.format`, `file.access`, `yaml.invalid`,
 *   `tag.invalid`, `cancelled`
 */
export async function runPreviewArchive(
  request: PreviewRequest & { readonly home: string },
  options: JobOptions,
): Promise<ArchivePreview> {
  const source = archivePath(request.source);
  try {
    return await preview(new ModelStore(request.home), source, request, options);
  } catch (error) {
    throw archiveFailure(error, source);
  }
}

async function preview(
  store: ModelStore,
  source: string,
  request: PreviewRequest,
  options: JobOptions,
): Promise<ArchivePreview> {
  const limits = limitsWith(request.limits);
  const { archive, close } = openSource(source, limits);
  try {
    assertClaim(archive, limits);
    const target = new PreviewTarget();
    const { info, bytes, warnings } = await readMembers(archive, limits, target, () => undefined, options);
    const { files, fileCount, members, pickle } = target;
    return {
      source,
      format: archive.kind,
      tag: formatTag(info.tag),
      module: info.module,
      frameworkName: info.context.frameworkName,
      creationTime: info.creationTime.text,
      labels: Object.fromEntries(info.labels),
      members,
      bytes,
      packedBytes: archive.packedBytes,
      exists: lstatOf(store.pathOf(info.tag)) !== undefined,
      files,
      moreFiles: fileCount - files.length,
      ...(pickle && { pickle }),
      warnings,
    };
  } finally {
    close();
  }
}

/** Lists the files that pass, and looks into pickles: each is kept in memory, up to 64 MiB of it, while it passes. */
class PreviewTarget {
  readonly files: PreviewedFile[] = [];
  members = 0;
  fileCount = 0;
  pickle: PreviewedPickle | undefined;
  readonly #kept = new KeptBytes();
  #file: PreviewedFile | undefined;

  open({ kind, path, bytes }: SafeMember): void {
    this.members += 1;
    this.#file = kind === "file" ? { path, bytes } : undefined;
    if (kind === "file") this.#kept.begin(bytes);
  }

  write(chunk: Uint8Array): void {
    if (this.#file && mayBePickle(this.#file.path)) this.#kept.push(chunk);
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    const found = mayBePickle(file.path) ? pickleIn(file.path, this.#kept.reader(file.path)) : undefined;
    if (found) this.pickle = together(this.pickle, found);
    this.fileCount += 1;
    if (this.fileCount <= SHOWN_FILES) this.files.push({ ...file, ...(found && { verdict: found.verdict }) });
    this.#file = undefined;
  }
}

/** Names that claim another format are not asked; an array may be one of objects. */
function mayBePickle(path: string): boolean {
  const claimed = claimedFormat(path);
  return claimed === undefined || claimed === "npy" || claimed === "npz";
}

function pickleIn(path: string, reader: PositionalReader): PickleFacts | undefined {
  try {
    const format = claimedFormat(path) ?? unclaimedFormat(path, reader);
    if (format === "npy") return arrayPickle(reader);
    if (format !== "pickle" && format !== "npz") return undefined;
    const { facts } = readPickleFile(reader);
    return format === "pickle" || facts.streams > 0 ? facts : undefined;
  } catch (error) {
    // Nothing of it can be told; what it is will be said when the model is opened.
    if (error instanceof ModelbenchError) return undefined;
    throw error;
  }
}

function arrayPickle(reader: PositionalReader): PickleFacts | undefined {
  const { descr, dataStart } = readNpyHeader(reader);
  return descr.includes("O") ? scanObjectArray(reader, dataStart) : undefined;
}

function together(a: PreviewedPickle | undefined, { verdict, imports }: PickleFacts): PreviewedPickle {
  const unknown = imports.filter((one) => one.class === "unknown").length;
  return {
    verdict: a ? worseVerdict(a.verdict, verdict) : verdict,
    unknownImports: (a?.unknownImports ?? 0) + unknown,
  };
}
