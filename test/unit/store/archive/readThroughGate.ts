import { ModelbenchError } from "../../../../src/base/errors";
import { ArchiveGate, ExpansionGuard, type SafeMember, type SafeSink } from "../../../../src/store/archive/gate";
import { ARCHIVE_LIMITS, type ArchiveLimits } from "../../../../src/store/archive/limits";
import { openArchive } from "../../../../src/store/archive/openArchive";
import { fleetingReader } from "../../../fixtures/fleetingReader";

/** What passed the gate: path to kind, executable bit and content. */
export type Passed = ReadonlyMap<
  string,
  { readonly kind: string; readonly executable: boolean; readonly content: string }
>;

/** Reads an archive in memory through container, tar and gate: what passed, or the code it was refused with. */
export async function readThroughGate(
  archive: Uint8Array,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<Passed | string> {
  const sink = new MemorySink();
  try {
    const opened = openArchive(fleetingReader(archive), limits);
    const gate = new ArchiveGate(limits, opened, sink);
    for await (const _slice of opened.members(gate, new ExpansionGuard(limits)));
    gate.finish();
    return sink.passed;
  } catch (error) {
    // A read beyond the end is what an importer reports as a damaged archive.
    if (error instanceof ModelbenchError) return error.code === "format.corrupt" ? "archive.corrupt" : error.code;
    throw error;
  }
}

class MemorySink implements SafeSink {
  readonly passed = new Map<string, { kind: string; executable: boolean; content: string }>();
  #member: SafeMember | undefined;
  #parts: Buffer[] = [];

  open(member: SafeMember): void {
    this.#member = member;
    this.#parts = [];
  }

  write(chunk: Uint8Array): void {
    this.#parts.push(Buffer.from(chunk));
  }

  close(): void {
    if (!this.#member) throw new Error("closed without a member");
    const { path, kind, executable } = this.#member;
    this.passed.set(path, { kind, executable, content: Buffer.concat(this.#parts).toString("base64") });
  }
}
