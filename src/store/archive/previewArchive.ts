import type { JobOptions } from "../../base/ports";
import { KeptBytes } from "../../formats/keptBytes";
import { mayHoldPickle, pickleIn } from "../../formats/pickleIn";
import { lstatOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import type { ModelVerdict } from "../pickleVerdicts";
import { together, verdictIn } from "../pickleVerdictsJob";
import { formatTag } from "../tag";
import type { ArchivePreview, PreviewedFile, PreviewRequest } from "./archiveJobs";
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
  pickle: ModelVerdict | null = null;
  readonly #kept = new KeptBytes();
  #file: PreviewedFile | undefined;

  open({ kind, path, bytes }: SafeMember): void {
    this.members += 1;
    this.#file = kind === "file" ? { path, bytes } : undefined;
    if (kind === "file") this.#kept.begin(bytes);
  }

  write(chunk: Uint8Array): void {
    if (this.#file && mayHoldPickle(this.#file.path)) this.#kept.push(chunk);
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    const facts = mayHoldPickle(file.path) ? pickleIn(file.path, this.#kept.reader(file.path)) : undefined;
    const found = facts ? verdictIn(facts) : null;
    this.pickle = together(this.pickle, found);
    this.fileCount += 1;
    if (this.fileCount <= SHOWN_FILES) this.files.push({ ...file, ...(found && { verdict: found.verdict }) });
    this.#file = undefined;
  }
}
