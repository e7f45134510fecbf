import {
  type EventName,
  type HostEvents,
  type HostRequests,
  MAX_MESSAGE_BYTES,
  PROTOCOL,
  type RequestName,
  type ToPage,
  type WireFailure,
} from "./messages";
import { requestSchemas, toHostSchema } from "./schemas";
import { fitsMessage } from "./size";

/** One function a request; a missing one does not compile. `signal` fires on cancel and when the page closes. */
export type Handlers = {
  [K in RequestName]: (params: HostRequests[K][0], signal: AbortSignal) => Promise<HostRequests[K][1]>;
};

/** What a host end needs from its surroundings. */
export interface HostPort {
  /** Posts to the page. */
  post(message: ToPage): void;
  /** The page is there and speaks this version: send what it starts with. */
  onReady(): void;
  /** The page speaks another version and has dropped its state: load it again. */
  onMismatch(): void;
  /** Turns a thrown value into what crosses the boundary: a code and words, never a stack. */
  describe(error: unknown): WireFailure;
}

/**
 * The host's end of a page. Answers every request exactly once, whatever its handler does; drops what is
 * malformed, too large or of unknown type; sends no event before the page said `ready`.
 */
export class HostPeer {
  readonly #port: HostPort;
  readonly #handlers: Handlers;
  readonly #pending = new Map<number, AbortController>();
  #ready = false;
  #closed = false;

  constructor(port: HostPort, handlers: Handlers) {
    this.#port = port;
    this.#handlers = handlers;
  }

  /** Whether the page has said `ready` and was not closed since. */
  get ready(): boolean {
    return this.#ready && !this.#closed;
  }

  /** Takes whatever the page posted. Never throws. */
  receive(message: unknown): void {
    if (this.#closed || !fitsMessage(message, MAX_MESSAGE_BYTES)) return;
    const parsed = toHostSchema.safeParse(message);
    if (!parsed.success) return;
    const { data } = parsed;
    if (data.kind === "ready") this.#greet(data.protocol);
    else if (!this.#ready) return;
    else if (data.kind === "cancel") this.#pending.get(data.id)?.abort();
    else if (!this.#pending.has(data.id)) void this.#answer(data.id, data.name, data.params);
  }

  /** Tells the page something; dropped when it is not there. */
  send<K extends EventName>(name: K, value: HostEvents[K]): void {
    if (this.ready) this.#port.post({ kind: "event", name, value });
  }

  /** Aborts everything the page asked for; nothing is posted afterwards. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#pending.values()) controller.abort();
    this.#pending.clear();
  }

  #greet(protocol: number): void {
    for (const controller of this.#pending.values()) controller.abort();
    this.#pending.clear();
    this.#ready = protocol === PROTOCOL;
    if (this.#ready) {
      this.#port.onReady();
      return;
    }
    this.#port.post({ kind: "mismatch", protocol: PROTOCOL });
    this.#port.onMismatch();
  }

  async #answer<K extends RequestName>(id: number, name: K, params: unknown): Promise<void> {
    const controller = new AbortController();
    this.#pending.set(id, controller);
    const reply = await this.#run(name, params, controller.signal);
    // A page that was loaded again in the meantime may use the same number for something else.
    if (this.#closed || this.#pending.get(id) !== controller) return;
    this.#pending.delete(id);
    this.#port.post({ kind: "result", id, ...reply });
  }

  async #run<K extends RequestName>(
    name: K,
    params: unknown,
    signal: AbortSignal,
  ): Promise<{ ok: true; value: unknown } | { ok: false; error: WireFailure }> {
    try {
      const [paramsSchema] = requestSchemas[name];
      const parsed = paramsSchema.safeParse(params);
      if (!parsed.success) return refuse(`${name}: the parameters are malformed.`);
      const value = await this.#handlers[name](parsed.data, signal);
      if (!fitsMessage(value, MAX_MESSAGE_BYTES)) return refuse(`${name}: the answer is too large for one message.`);
      return { ok: true, value };
    } catch (error) {
      return { ok: false, error: this.#port.describe(error) };
    }
  }
}

function refuse(message: string): { ok: false; error: WireFailure } {
  return { ok: false, error: { code: "protocol.invalid", message, remedy: null, path: null } };
}
