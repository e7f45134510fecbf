import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import type { MemberSink } from "../memberSink";
import { corruptTar, readTarHeader, TAR_BLOCK, type TarHeader } from "./header";
import { checkGlobalPax, type PaxRecords, readPaxRecords } from "./pax";

/** Bodies of pax headers and GNU long names. Names end at 1,024 bytes; the rest is room for attributes. */
const MAX_EXTRA_BYTES = 65_536;
/** Sizes up to here fit the header, so a pax record that says otherwise hides something. */
const MAX_OCTAL_SIZE = 0o77777777777;

const REFUSED: ReadonlyMap<string, string> = new Map([
  ["1", "a hard link"],
  ["2", "a symbolic link"],
  ["3", "a character device"],
  ["4", "a block device"],
  ["6", "a FIFO"],
  ["7", "a contiguous file"],
  ["K", "a long link name"],
  ["S", "a GNU sparse file"],
  ["M", "a part of a multi-volume archive"],
]);

type Extra = { readonly kind: "extra"; readonly type: string; readonly body: Uint8Array; filled: number };
type Counted = { readonly kind: "content" | "padding"; readonly bytes: number; left: number };
type State =
  | Extra
  | Counted
  | { readonly kind: "header" }
  /** The first zero block has come; a second one must follow. */
  | { readonly kind: "halfEnd" }
  /** Only zeros may follow. */
  | { readonly kind: "end" };

/**
 * A tar parser that is fed chunks of any size and calls a sink. Our own rather than a library's, because the
 * readers at hand swallow exactly what must be refused: tar-stream 3.2.2 ends quietly at a malformed pax record,
 * takes any size digits, decodes names that are not UTF-8, and asks for neither end blocks nor silence after them.
 * Hands on regular files and directories only; links, devices, sparse files and unknown kinds end the reading.
 */
export class TarReader {
  readonly #sink: MemberSink;
  readonly #block = new Uint8Array(TAR_BLOCK);
  #filled = 0;
  #offset = 0;
  #state: State = { kind: "header" };
  #pax: PaxRecords | undefined;
  #longName: Uint8Array | undefined;

  constructor(sink: MemberSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes. @throws ModelbenchError `archive.corrupt`, `archive.unsafe`, or what the sink throws */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const taken = this.#take(chunk.subarray(at));
      at += taken;
      this.#offset += taken;
    }
  }

  /** Says that no bytes follow. @throws ModelbenchError `archive.corrupt` when the archive is not complete */
  finish(): void {
    if (this.#state.kind !== "end") throw corruptTar("the archive ends too early", this.#offset);
  }

  #take(bytes: Uint8Array): number {
    const state = this.#state;
    if (state.kind === "content" || state.kind === "padding") return this.#takeCounted(state, bytes);
    if (state.kind === "extra") return this.#takeExtra(state, bytes);
    if (state.kind !== "end") return this.#takeBlock(bytes);
    if (!isZero(bytes)) throw corruptTar("data after the end of the archive", this.#offset);
    return bytes.length;
  }

  #takeCounted(state: Counted, bytes: Uint8Array): number {
    const part = bytes.subarray(0, state.left);
    state.left -= part.length;
    if (state.kind === "content") this.#sink.write(part);
    if (state.left === 0) {
      if (state.kind === "content") this.#endContent(state.bytes);
      else this.#state = { kind: "header" };
    }
    return part.length;
  }

  #endContent(bytes: number): void {
    this.#sink.close();
    this.#pad(bytes);
  }

  #pad(bytes: number): void {
    const left = (TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK;
    this.#state = left === 0 ? { kind: "header" } : { kind: "padding", bytes: left, left };
  }

  #takeExtra(state: Extra, bytes: Uint8Array): number {
    const part = bytes.subarray(0, state.body.length - state.filled);
    state.body.set(part, state.filled);
    state.filled += part.length;
    if (state.filled === state.body.length) {
      this.#keepExtra(state);
      this.#pad(state.body.length);
    }
    return part.length;
  }

  #keepExtra({ type, body }: Extra): void {
    if (type === "g") checkGlobalPax(body, this.#offset);
    else if (type === "x") this.#pax = readPaxRecords(body, this.#offset);
    else {
      const end = body.indexOf(0);
      this.#longName = end < 0 ? body : body.subarray(0, end);
      if (end >= 0 && !isZero(body.subarray(end))) throw corruptTar("bytes hidden behind a long name", this.#offset);
    }
  }

  #takeBlock(bytes: Uint8Array): number {
    const part = bytes.subarray(0, TAR_BLOCK - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === TAR_BLOCK) {
      this.#filled = 0;
      this.#readBlock(this.#offset + part.length - TAR_BLOCK);
    }
    return part.length;
  }

  #readBlock(offset: number): void {
    if (isZero(this.#block)) {
      if (this.#pax || this.#longName) throw corruptTar("a name or size without its member", offset);
      this.#state = this.#state.kind === "halfEnd" ? { kind: "end" } : { kind: "halfEnd" };
      return;
    }
    if (this.#state.kind === "halfEnd") throw corruptTar("a member after half an end mark", offset);
    const header = readTarHeader(this.#block, offset);
    if (header.type === "x" || header.type === "g" || header.type === "L") this.#openExtra(header, offset);
    else if (header.type === "0" || header.type === "5") this.#openMember(header, offset);
    else throw refused(header, offset);
  }

  #openExtra({ type, bytes }: TarHeader, offset: number): void {
    const taken = type === "x" ? this.#pax : type === "L" ? this.#longName : undefined;
    if (taken) throw corruptTar("two headers about one member", offset);
    if (bytes === 0 || bytes > MAX_EXTRA_BYTES) throw corruptTar(`an extra header of ${bytes} bytes`, offset);
    this.#state = { kind: "extra", type, body: new Uint8Array(bytes), filled: 0 };
  }

  #openMember(header: TarHeader, offset: number): void {
    const bytes = this.#trueSize(header, offset);
    if (this.#pax?.rawPath && this.#longName) throw corruptTar("two long names for one member", offset);
    const rawPath = this.#pax?.rawPath ?? this.#longName ?? header.rawPath;
    this.#pax = undefined;
    this.#longName = undefined;
    if (header.type === "5" && bytes > 0) throw corruptTar("a directory with content", offset);
    this.#sink.open({
      kind: header.type === "5" ? "directory" : "file",
      rawPath,
      bytes,
      executable: header.executable,
    });
    if (bytes === 0) this.#endContent(0);
    else this.#state = { kind: "content", bytes, left: bytes };
  }

  #trueSize({ bytes, rawPath }: TarHeader, offset: number): number {
    const stated = this.#pax?.bytes;
    if (stated === undefined || stated === bytes) return bytes;
    if (stated <= MAX_OCTAL_SIZE) {
      const name = visible(Buffer.from(rawPath).toString());
      throw corruptTar(`a pax size of ${stated} against ${bytes} in the header of "${name}"`, offset);
    }
    return stated;
  }
}

function refused({ type, rawPath }: TarHeader, offset: number): ModelbenchError {
  const what = REFUSED.get(type) ?? `a member of unknown kind ${JSON.stringify(visible(type))}`;
  const name = visible(Buffer.from(rawPath).toString());
  return new ModelbenchError("archive.unsafe", `The archive holds ${what}, "${name}"; a model is files and folders.`, {
    offset,
  });
}

function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}
