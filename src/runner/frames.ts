import type { Writable } from "node:stream";
import { ModelbenchError, type WireError } from "../base/errors";
import { elementCount, itemSize } from "../formats/elements";
import { stringOffsets } from "../formats/stringOffsets";
import type { DType, Tensor } from "../formats/tensor";

/** Version of the framing and of the operations in it; the other side must speak exactly this one. */
const PROTOCOL_VERSION = 1;

/** Upper bound of one header: it carries names and small values, bulk travels as bodies. */
export const MAX_HEADER_BYTES = 1_048_576;

/** Upper bound of bodies in one frame. */
const MAX_BODIES = 1_024;

/** Upper bound of all bodies of one frame together, just under the longest Buffer of Node 20. */
export const MAX_FRAME_BYTES = 4_294_967_295;

/** Bodies up to this size are copied behind the header, so that a small frame is one write. */
const INLINE_BYTES = 65_536;

const kinds = ["request", "result", "error", "progress", "cancel", "event"] as const;

/** What a frame is: the answer to a request is one `result` or one `error` of the same id. */
export type FrameKind = (typeof kinds)[number];

/** One message on a process boundary. On the wire: u32 LE header length, JSON header, raw bodies. */
export interface Frame {
  readonly kind: FrameKind;
  /** Names the request this frame belongs to; 0 for an event. */
  readonly id: number;
  readonly op: string;
  /** Plain data of the operation. */
  readonly data?: unknown;
  /** Set in an `error` frame. */
  readonly error?: WireError;
  /** Bulk values, referred to from `data` by index. */
  readonly bodies: readonly Tensor[];
}

interface BodyClaim {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/**
 * Turns a stream of bytes into frames. Sizes are checked before anything is allocated; each chunk is copied
 * once, straight into the body it belongs to. A body owns its ArrayBuffer, so that it can be transferred.
 */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #maxBytes: number;
  readonly #prefix = new Uint8Array(4);
  #target: Uint8Array;
  #filled = 0;
  #stage: "prefix" | "header" | "body" | "broken" = "prefix";
  #header: Omit<Frame, "bodies"> | undefined;
  #claims: readonly BodyClaim[] = [];
  #bodies: Tensor[] = [];

  /** @param maxBytes upper bound of the bodies of one frame */
  constructor(onFrame: (frame: Frame) => void, maxBytes: number = MAX_FRAME_BYTES) {
    this.#onFrame = onFrame;
    this.#maxBytes = maxBytes;
    this.#target = this.#prefix;
  }

  /**
   * Takes the next bytes and hands over every frame they complete. After a failure it takes nothing more.
   * @throws ModelbenchError `protocol.version` for another version, `protocol.invalid` for anything malformed
   */
  push(chunk: Uint8Array): void {
    if (this.#stage === "broken") throw new ModelbenchError("protocol.invalid", "The stream broke earlier.");
    try {
      this.#take(chunk);
    } catch (error) {
      this.#stage = "broken";
      throw error;
    }
  }

  /** Called when the stream ends. @throws ModelbenchError `protocol.invalid` when it ends inside a frame */
  end(): void {
    if (this.#stage === "prefix" && this.#filled === 0) return;
    throw new ModelbenchError("protocol.invalid", `The stream ended inside a frame (${this.#stage}).`);
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(this.#target.length - this.#filled, chunk.length - at);
      this.#target.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#target.length) this.#completed();
    }
  }

  #completed(): void {
    if (this.#stage === "prefix") {
      const length = new DataView(this.#prefix.buffer).getUint32(0, true);
      if (length === 0 || length > MAX_HEADER_BYTES) throw malformed(`a header of ${length} bytes`);
      this.#expect("header", Buffer.allocUnsafe(length));
      return;
    }
    if (this.#stage === "header") {
      const { claims, ...header } = parseHeader(this.#target, this.#maxBytes);
      this.#header = header;
      this.#claims = claims;
      this.#bodies = [];
    } else {
      this.#keepBody(this.#target);
    }
    this.#nextBody();
  }

  #nextBody(): void {
    for (let claim = this.#claims[this.#bodies.length]; claim; claim = this.#claims[this.#bodies.length]) {
      if (claim.bytes > 0) {
        this.#expect("body", Buffer.allocUnsafeSlow(claim.bytes));
        return;
      }
      this.#keepBody(new Uint8Array(0));
    }
    const header = this.#header as Omit<Frame, "bodies">;
    const bodies = this.#bodies;
    this.#expect("prefix", this.#prefix);
    this.#onFrame({ ...header, bodies });
  }

  #keepBody(data: Uint8Array): void {
    const { dtype, shape } = this.#claims[this.#bodies.length] as BodyClaim;
    if (dtype === "string") stringOffsets(data, elementCount(shape));
    this.#bodies.push({ dtype, shape, data });
  }

  #expect(stage: "prefix" | "header" | "body", target: Uint8Array): void {
    this.#stage = stage;
    this.#target = target;
    this.#filled = 0;
  }
}

/**
 * Puts frames on a stream, one after the other, and waits where the stream asks for it.
 * A frame whose turn has come is written without a copy of its large bodies.
 */
export class FrameWriter {
  readonly #stream: Writable;
  #last: Promise<void> | undefined;
  #isCorked = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /**
   * Writes one frame; the answer settles when the stream has room for the next one, or rejects with `worker.died`
   * when the stream is gone. A frame beyond the limits is refused before anything is written.
   * @throws ModelbenchError `protocol.invalid`, not as a promise
   */
  send(frame: Frame): Promise<void> {
    const head = encodeHeader(frame);
    const turn =
      this.#last === undefined ? this.#write(head, frame.bodies) : this.#after(this.#last, head, frame.bodies);
    if (turn === undefined) return Promise.resolve();
    const settled = turn.then(
      () => {
        if (this.#last === settled) this.#last = undefined;
      },
      () => {
        if (this.#last === settled) this.#last = undefined;
      },
    );
    this.#last = settled;
    return turn;
  }

  async #after(earlier: Promise<void>, head: Buffer, bodies: readonly Tensor[]): Promise<void> {
    await earlier;
    await this.#write(head, bodies);
  }

  #write(head: Buffer, bodies: readonly Tensor[]): Promise<void> | undefined {
    if (this.#stream.destroyed || this.#stream.writableEnded) return Promise.reject(streamGone());
    this.#corkForThisTick();
    const size = bodiesSize(bodies);
    if (size <= INLINE_BYTES) {
      const whole = size === 0 ? head : Buffer.concat([head, ...bodies.map(({ data }) => data)]);
      return this.#stream.write(whole) ? undefined : this.#drained();
    }
    let room = this.#stream.write(head);
    for (const { data } of bodies) if (data.length > 0) room = this.#stream.write(data);
    return room ? undefined : this.#drained();
  }

  /** What is sent in one go also arrives in one go: one system call, and requests that can share a batch. */
  #corkForThisTick(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#stream.uncork();
    });
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void) => () => {
        this.#stream.off("drain", onDrain).off("close", onClose).off("error", onClose);
        settled();
      };
      const onDrain = settle(resolve);
      const onClose = settle(() => reject(streamGone()));
      this.#stream.on("drain", onDrain).on("close", onClose).on("error", onClose);
    });
  }
}

/** The bytes of a frame up to its bodies. @throws ModelbenchError `protocol.invalid` beyond the limits */
export function encodeHeader({ bodies, ...header }: Frame): Buffer {
  if (bodies.length > MAX_BODIES) throw malformed(`${bodies.length} bodies, more than ${MAX_BODIES}`);
  if (bodiesSize(bodies) > MAX_FRAME_BYTES) throw malformed(`more than ${MAX_FRAME_BYTES} bytes of bodies`);
  const claims = bodies.map(({ dtype, shape, data }) => ({ dtype, shape, bytes: data.byteLength }));
  const text = JSON.stringify({ v: PROTOCOL_VERSION, ...header, bodies: claims });
  const length = Buffer.byteLength(text);
  if (length > MAX_HEADER_BYTES) throw malformed(`a header of ${length} bytes`);
  const bytes = Buffer.allocUnsafe(4 + length);
  bytes.writeUInt32LE(length, 0);
  bytes.write(text, 4);
  return bytes;
}

function bodiesSize(bodies: readonly Tensor[]): number {
  let size = 0;
  for (const { data } of bodies) size += data.byteLength;
  return size;
}

function parseHeader(bytes: Uint8Array, maxBytes: number): Omit<Frame, "bodies"> & { claims: readonly BodyClaim[] } {
  const header = parseObject(bytes);
  const { v, kind, id, op, data, error, bodies } = header;
  if (v !== PROTOCOL_VERSION) {
    throw new ModelbenchError("protocol.version", `Expected protocol version ${PROTOCOL_VERSION}, got ${show(v)}.`);
  }
  if (!isKind(kind)) throw malformed(`an unknown kind ${show(kind)}`);
  if (!isCount(id)) throw malformed(`an id ${show(id)}`);
  if (typeof op !== "string") throw malformed(`an operation ${show(op)}`);
  if (kind === "error" && !isWireError(error)) throw malformed("an error frame without an error");
  const claims = checkClaims(bodies, maxBytes);
  const failure = isWireError(error) ? { error } : {};
  return { kind, id, op, ...(data === undefined ? {} : { data }), ...failure, claims };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    throw malformed("a header that is not JSON");
  }
  if (!isObject(value)) throw malformed("a header that is not an object");
  return value;
}

function checkClaims(bodies: unknown, maxBytes: number): readonly BodyClaim[] {
  if (!Array.isArray(bodies) || bodies.length > MAX_BODIES) throw malformed(`bodies ${show(bodies)}`);
  let total = 0;
  return bodies.map((body: unknown, i) => {
    const claim = checkClaim(body, i);
    total += claim.bytes;
    if (total > maxBytes) throw malformed(`${total} bytes of bodies, more than ${maxBytes}`);
    return claim;
  });
}

function checkClaim(body: unknown, index: number): BodyClaim {
  if (!isObject(body)) throw malformed(`body ${index} without a description`);
  const { dtype, shape, bytes } = body;
  if (!isDType(dtype)) throw malformed(`body ${index} of unknown dtype ${show(dtype)}`);
  if (!Array.isArray(shape) || shape.length > 64 || !shape.every(isCount)) {
    throw malformed(`body ${index} of shape ${show(shape)}`);
  }
  const count = shape.reduce((product, dim) => product * dim, 1);
  const size = itemSize(dtype);
  const fits = isCount(bytes) && isCount(count) && (size === undefined ? bytes >= 4 * count : bytes === size * count);
  if (!fits) throw malformed(`body ${index}: ${dtype} [${shape.join(", ")}] in ${show(bytes)} bytes`);
  return { dtype, shape, bytes };
}

function isDType(value: unknown): value is DType {
  return value === "string" || (typeof value === "string" && typeof itemSize(value as DType) === "number");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is FrameKind {
  return kinds.some((kind) => kind === value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isWireError(value: unknown): value is WireError {
  return isObject(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function malformed(what: string): ModelbenchError {
  return new ModelbenchError("protocol.invalid", `A frame on a process boundary has ${what}.`);
}

function streamGone(): ModelbenchError {
  return new ModelbenchError("worker.died", "The other process closed its end.");
}
