import {
  type EventName,
  type HostEvents,
  type HostRequests,
  MAX_MESSAGE_BYTES,
  PROTOCOL,
  type RequestName,
  type ToHost,
  type WireFailure,
} from "./messages";
import { eventSchemas, requestSchemas, toPageSchema } from "./schemas";
import { fitsMessage } from "./size";

/** A request that the host answered with a failure. */
export class RequestFailure extends Error {
  readonly failure: WireFailure;

  constructor(failure: WireFailure) {
    super(failure.message);
    this.name = "RequestFailure";
    this.failure = failure;
  }
}

/** What a page end needs from its surroundings. */
export interface PagePort {
  /** Posts to the host. */
  post(message: ToHost): void;
  /** Forgets what the page saved: it is of another version. */
  dropState(): void;
}

/** Listeners by event; a missing one does not compile. */
export type EventListeners = { [K in EventName]: (value: HostEvents[K]) => void };

interface Waiting {
  readonly name: RequestName;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The page's end: typed requests with cancel, and events. Malformed or unknown messages are dropped. */
export class PagePeer {
  readonly #port: PagePort;
  readonly #listeners: EventListeners;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor(port: PagePort, listeners: EventListeners) {
    this.#port = port;
    this.#listeners = listeners;
  }

  /** Tells the host that this page listens; the host sends nothing before. */
  ready(): void {
    this.#port.post({ kind: "ready", protocol: PROTOCOL });
  }

  /** Asks the host. The result's type follows from the name. Aborting tells the host and rejects at once. @throws RequestFailure */
  request<K extends RequestName>(
    name: K,
    params: HostRequests[K][0],
    signal?: AbortSignal,
  ): Promise<HostRequests[K][1]> {
    const id = this.#nextId++;
    const message: ToHost = { kind: "request", id, name, params };
    if (signal?.aborted) return Promise.reject(new RequestFailure(cancelled));
    // The host drops what is larger, and would leave the request without an answer.
    if (!fitsMessage(message, MAX_MESSAGE_BYTES)) return Promise.reject(new RequestFailure(tooLarge));
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { name, resolve, reject }));
    this.#port.post(message);
    signal?.addEventListener("abort", () => this.#cancel(id), { once: true });
    return answer.then((value) => {
      const parsed = requestSchemas[name][1].safeParse(value);
      if (parsed.success) return parsed.data;
      throw new RequestFailure(invalid(`${name}: the answer is malformed.`));
    });
  }

  /** Takes whatever the host posted. Never throws for what it cannot read. */
  receive(message: unknown): void {
    // Two times the limit: the host counts before its text is built, and a rounding must not lose an answer.
    if (!fitsMessage(message, 2 * MAX_MESSAGE_BYTES)) return;
    const parsed = toPageSchema.safeParse(message);
    if (!parsed.success) return;
    const { data } = parsed;
    if (data.kind === "mismatch") this.#port.dropState();
    else if (data.kind === "event") this.#hear(data.name, data.value);
    else this.#settle(data.id, data.ok ? data.value : new RequestFailure(data.error));
  }

  #hear<K extends EventName>(name: K, value: unknown): void {
    const parsed = eventSchemas[name].safeParse(value);
    if (parsed.success) this.#listeners[name](parsed.data);
  }

  #settle(id: number, outcome: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (outcome instanceof Error) waiting?.reject(outcome);
    else waiting?.resolve(outcome);
  }

  #cancel(id: number): void {
    if (!this.#waiting.has(id)) return;
    this.#port.post({ kind: "cancel", id });
    this.#settle(id, new RequestFailure(cancelled));
  }
}

/** What a request fails with whose answer nobody waits for any more. */
export const cancelled: WireFailure = { code: "cancelled", message: "Cancelled.", remedy: null, path: null };

const tooLarge: WireFailure = {
  code: "budget.exceeded",
  message: "These inputs are too large to send from the page.",
  remedy: "Save the values as a .json or .npy file and choose it as the input.",
  path: null,
};

function invalid(message: string): WireFailure {
  return { code: "protocol.invalid", message, remedy: null, path: null };
}
