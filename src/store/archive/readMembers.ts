import { resolve } from "node:path";
import { Budget } from "../../base/budget";
import { ModelbenchError, throwIfAborted, toWireError, type Warning } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { visible } from "../../base/visible";
import { openFileReader } from "../../formats/fileReader";
import type { ExpansionMeter } from "../../formats/memberSink";
import { MODEL_YAML } from "../layout";
import type { ModelInfo } from "../model";
import { statOf } from "../modelFiles";
import { Pace } from "../pace";
import { formatTag } from "../tag";
import { laterFormat } from "./format";
import { ArchiveGate, ExpansionGuard, type SafeMember, type SafeSink } from "./gate";
import type { ArchiveLimits } from "./limits";
import { ModelYamlSink } from "./modelYamlSink";
import { type OpenedArchive, openArchive, openFolderAsArchive } from "./openArchive";

/** Reading is given up after this and a hundredth of a millisecond a byte: slow disks manage ten times as much. */
const LEAST_TIME_MS = 120_000;
const TIME_PER_BYTE_MS = 0.01;
/** Clocks of two machines may differ by a day, time zones included. */
const MAX_AHEAD_MS = 24 * 3600 * 1000;
/** A failure's message may quote the archive; this keeps it short, also when every character had to be written out. */
const MAX_MESSAGE = 900;

/** What was found in an archive. */
export interface Found {
  readonly info: ModelInfo;
  readonly yaml: string;
  /** Sum of all files. */
  readonly bytes: number;
  /** What is let in, but not without a word. */
  readonly warnings: readonly Warning[];
}

/** Where members that passed go; `settle` lets what was begun beside the reading catch up. */
export interface MemberTarget extends SafeSink {
  settle?(): Promise<void>;
}

/** The absolute path of an archive or folder. @throws ModelbenchError `archive.format` for a URL */
export function archivePath(source: string): string {
  if (source.includes("://")) throw laterFormat(`Importing from ${visible(source)}`);
  return resolve(source);
}

/** Opens an archive or a folder. @throws ModelbenchError as `openArchive` and `openFolderAsArchive` */
export function openSource(from: string, limits: ArchiveLimits): { archive: OpenedArchive; close: () => void } {
  if (statOf(from)?.isDirectory()) return { archive: openFolderAsArchive(from, limits), close: () => undefined };
  const reader = openFileReader(from);
  try {
    return { archive: openArchive(reader, limits), close: () => reader.close() };
  } catch (error) {
    reader.close();
    throw error;
  }
}

/**
 * Reads a whole archive through the gate.
 * @param target receives what passed; nothing is kept without it
 * @param onModel hears the model's description as soon as it is read; what it throws ends the reading
 * @throws ModelbenchError `archive.unsafe`, `archive.corrupt`, `yaml.invalid`, `tag.invalid`, `cancelled`
 */
export async function readMembers(
  archive: OpenedArchive,
  limits: ArchiveLimits,
  target: MemberTarget | undefined,
  onModel: (info: ModelInfo) => void,
  { signal, onProgress }: JobOptions,
): Promise<Found> {
  let model: { info: ModelInfo; yaml: string } | undefined;
  let current = "";
  let inside = false;
  const sink = new ModelYamlSink(target, (info, yaml) => {
    onModel(info);
    model = { info, yaml };
  });
  const gate = new ArchiveGate(limits, archive, {
    open(member: SafeMember) {
      current = member.path;
      inside = true;
      sink.open(member);
    },
    write: (chunk) => sink.write(chunk),
    close: () => {
      inside = false;
      sink.close();
    },
  });
  const guard = new ExpansionGuard(limits);
  const budget = new Budget("The archive", { timeMs: LEAST_TIME_MS + archive.packedBytes * TIME_PER_BYTE_MS });
  const pace = new Pace();
  // What goes in without anything coming out is asked to stop here.
  const meter: ExpansionMeter = {
    consumed(bytes) {
      throwIfAborted(signal);
      budget.time();
      guard.consumed(bytes);
    },
    produced: (bytes) => guard.produced(bytes),
  };
  throwIfAborted(signal);
  try {
    for await (const _slice of archive.members(gate, meter)) {
      throwIfAborted(signal);
      budget.time();
      onProgress?.({ doneBytes: guard.consumedBytes, totalBytes: archive.packedBytes, current });
      await target?.settle?.();
      await pace.rest();
    }
  } catch (error) {
    throw current === "" ? error : withPlace(error, `${inside ? "in" : "behind"} "${visible(current)}"`);
  }
  throwIfAborted(signal);
  gate.finish();
  if (!model) throw new ModelbenchError("internal", "The gate let an archive without model.yaml pass.");
  return { ...model, bytes: gate.bytes, warnings: warningsAbout(model.info) };
}

function warningsAbout({ tag, creationTime }: ModelInfo): Warning[] {
  if (creationTime.epochMs <= Date.now() + MAX_AHEAD_MS) return [];
  const message = `${formatTag(tag)} says that it was made at ${creationTime.text}: as the newest it stays the latest.`;
  return [{ code: "time.future", message, path: MODEL_YAML }];
}

/** Damage, bombs and slowness are found at a byte; this adds the member that the byte is in or behind. */
function withPlace(error: unknown, place: string): unknown {
  if (!(error instanceof ModelbenchError)) return error;
  const { code, message, remedy, path, offset } = error;
  const placeless = code === "budget.exceeded" || code === "format.corrupt" || code.startsWith("archive.");
  // Whatever names a member puts it in quotes.
  if (!placeless || message.includes('"')) return error;
  return new ModelbenchError(code, `${message.replace(/\.$/, "")}, ${place}.`, { remedy, path, offset, cause: error });
}

/** The failure with the archive's name in front, and nothing in it that a terminal would obey. */
export function archiveFailure(error: unknown, from: string): ModelbenchError {
  const wire = toWireError(error);
  if (wire.code === "cancelled" || wire.code === "internal") return asFailure(error, wire.message);
  // A positional read beyond the end is how the formats notice a file that is cut short.
  const code = wire.code === "format.corrupt" ? "archive.corrupt" : wire.code;
  const message = wire.path === from ? wire.message : `${from}: ${wire.message}`;
  return new ModelbenchError(code, visible(message, MAX_MESSAGE), {
    remedy: wire.remedy && visible(wire.remedy, MAX_MESSAGE),
    path: wire.path ?? from,
    offset: wire.offset,
    cause: error,
  });
}

function asFailure(error: unknown, message: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  return new ModelbenchError("internal", visible(message, MAX_MESSAGE), { cause: error });
}
