import type { JobOptions } from "../../base/ports";
import { lstatOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import { formatTag } from "../tag";
import type { ArchivePreview, PreviewRequest } from "./archiveJobs";
import { assertClaim } from "./gate";
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
    const files: { path: string; bytes: number }[] = [];
    let members = 0;
    let fileCount = 0;
    const target = {
      open({ kind, path, bytes }: { kind: "file" | "directory"; path: string; bytes: number }) {
        members += 1;
        if (kind === "file" && ++fileCount <= SHOWN_FILES) files.push({ path, bytes });
      },
      write() {},
      close() {},
    };
    const { info, bytes, warnings } = await readMembers(archive, limits, target, () => undefined, options);
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
      warnings,
    };
  } finally {
    close();
  }
}
