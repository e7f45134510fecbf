import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { failureView } from "../../../src/extension/page/failureView";
import { noHandlers } from "../../../src/extension/page/noHandlers";
import { type Handlers, HostPeer } from "../../../webview/protocol/hostPeer";
import { MAX_MESSAGE_BYTES, PROTOCOL, type ToHost, type ToPage } from "../../../webview/protocol/messages";
import { type EventListeners, PagePeer, RequestFailure } from "../../../webview/protocol/pagePeer";
import { fitsMessage } from "../../../webview/protocol/size";
import { fc } from "../../fixtures/fastCheck";

describe("the host's end", () => {
  test("sends nothing before the page's ready", () => {
    const { peer, posted } = host();
    peer.send("model/changed", { tag: "a:b" });
    peer.receive({ kind: "request", id: 1, name: "test/stop", params: { tag: "a:b" } });
    assert.deepEqual(posted, []);
  });

  test("a throwing handler still answers, with a code and no stack", async () => {
    const { peer, posted, settled } = host({
      "test/stop": async () => {
        throw new ModelbenchError("worker.died", "It ended.", { remedy: "Restart.", path: "/x" });
      },
      "test/restart": () => {
        throw new TypeError("a bug");
      },
    });
    ready(peer);
    peer.receive({ kind: "request", id: 7, name: "test/stop", params: { tag: "a:b" } });
    peer.receive({ kind: "request", id: 8, name: "test/restart", params: { tag: "a:b" } });
    await settled();
    posted.sort((a, b) => idOf(a) - idOf(b));
    assert.deepEqual(posted, [
      {
        kind: "result",
        id: 7,
        ok: false,
        error: { code: "worker.died", message: "It ended.", remedy: "Restart.", path: "/x" },
      },
      { kind: "result", id: 8, ok: false, error: { code: "internal", message: "a bug", remedy: null, path: null } },
    ]);
  });

  test("answers malformed parameters with a code and does not call the handler", async () => {
    let calls = 0;
    const { peer, posted, settled } = host({
      "test/run": async () => {
        calls += 1;
        return { issues: [] };
      },
    });
    ready(peer);
    const state = { tag: "a:b", method: "run", drafts: {} };
    peer.receive({ kind: "request", id: 1, name: "test/run", params: { state, copies: 10_000 } });
    peer.receive({ kind: "request", id: 2, name: "test/run", params: { state, copies: 1, path: "/etc/passwd" } });
    await settled();
    assert.equal(calls, 0);
    assert.deepEqual(
      posted.map((message) => "error" in message && message.error.code),
      ["protocol.invalid", "protocol.invalid"],
    );
  });

  test("cancel fires the signal of that request only, and it is answered once", async () => {
    const signals = new Map<string, AbortSignal>();
    const wait = (tag: string, signal: AbortSignal): Promise<null> =>
      new Promise((_, reject) => {
        signals.set(tag, signal);
        signal.addEventListener("abort", () => reject(new ModelbenchError("cancelled", "Cancelled.")));
      });
    const { peer, posted, settled } = host({ "test/stop": ({ tag }, signal) => wait(tag, signal) });
    ready(peer);
    peer.receive({ kind: "request", id: 1, name: "test/stop", params: { tag: "a:1" } });
    peer.receive({ kind: "request", id: 2, name: "test/stop", params: { tag: "a:2" } });
    await settled();
    peer.receive({ kind: "cancel", id: 1 });
    peer.receive({ kind: "cancel", id: 1 });
    await settled();
    assert.equal(signals.get("a:1")?.aborted, true);
    assert.equal(signals.get("a:2")?.aborted, false);
    assert.equal(posted.length, 1);
  });

  test("closing aborts what is under way and posts nothing afterwards", async () => {
    let seen: AbortSignal | undefined;
    const { peer, posted, settled } = host({
      "test/stop": (_, signal) =>
        new Promise((resolve) => {
          seen = signal;
          signal.addEventListener("abort", () => resolve(null));
        }),
    });
    ready(peer);
    peer.receive({ kind: "request", id: 1, name: "test/stop", params: { tag: "a:b" } });
    await settled();
    peer.close();
    await settled();
    assert.equal(seen?.aborted, true);
    assert.deepEqual(posted, []);
  });

  test("a page of another version is told to drop its state, and gets nothing else", () => {
    const { peer, posted, events } = host();
    peer.receive({ kind: "ready", protocol: PROTOCOL + 1 });
    peer.send("model/changed", { tag: "a:b" });
    assert.deepEqual(posted, [{ kind: "mismatch", protocol: PROTOCOL }]);
    assert.deepEqual(events, ["mismatch"]);
  });

  test("a number used twice while it is awaited is answered once", async () => {
    const { peer, posted, settled } = host({ "test/stop": async () => null });
    ready(peer);
    peer.receive({ kind: "request", id: 1, name: "test/stop", params: { tag: "a:b" } });
    peer.receive({ kind: "request", id: 1, name: "test/stop", params: { tag: "a:b" } });
    await settled();
    assert.equal(posted.length, 1);
  });

  test("an answer too large for a message becomes a failure", async () => {
    const files = [{ path: "x".repeat(MAX_MESSAGE_BYTES), bytes: 1 }];
    const { peer, posted, settled } = host({
      "model/inspect": async () => Object.assign(Object.create(null), { files }),
    });
    ready(peer);
    peer.receive({ kind: "request", id: 1, name: "model/inspect", params: { tag: "a:b" } });
    await settled();
    assert.match(JSON.stringify(posted), /too large/);
  });

  test("2,000 random messages neither throw nor have an effect", async () => {
    let effects = 0;
    const effect = async (): Promise<never> => {
      effects += 1;
      throw new Error("never reached by noise");
    };
    const handlers = Object.fromEntries(Object.keys(noHandlers).map((name) => [name, effect]));
    const { peer, posted, events, settled } = host(handlers);
    ready(peer);
    const noise = fc.oneof(
      fc.anything({ maxDepth: 4, withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true }),
      fc.record({
        kind: fc.constantFrom("request", "cancel", "result", "event"),
        id: fc.anything(),
        name: fc.string(),
      }),
      fc.record({
        kind: fc.constant("request"),
        id: fc.integer({ min: -5 }),
        name: fc.oneof(fc.constantFrom("constructor", "__proto__", "toString", "test/runs"), fc.string()),
        params: fc.anything(),
      }),
      fc.record({
        kind: fc.constant("request"),
        id: fc.nat(),
        name: fc.constantFrom(...Object.keys(noHandlers)),
        params: fc.anything({ maxDepth: 2 }),
        extra: fc.constant(1),
      }),
    );
    fc.assert(
      fc.property(noise, (message) => peer.receive(message)),
      { numRuns: 2000 },
    );
    await settled();
    assert.equal(effects, 0);
    assert.deepEqual([posted, events], [[], ["ready"]]);
  });
});

describe("the page's end", () => {
  test("an answer reaches its request, a failure rejects it with its code", async () => {
    const { peer, posted } = page();
    const first = peer.request("test/stop", { tag: "a:b" });
    const second = peer.request("test/restart", { tag: "a:b" });
    const error = { code: "worker.died", message: "It ended.", remedy: null, path: null };
    peer.receive({ kind: "result", id: idOf(posted[1]), ok: false, error });
    peer.receive({ kind: "result", id: idOf(posted[0]), ok: true, value: null });
    assert.equal(await first, null);
    await assert.rejects(
      second,
      (failure) => failure instanceof RequestFailure && failure.failure.code === "worker.died",
    );
  });

  test("an answer of another shape is a failure, not a value", async () => {
    const { peer, posted } = page();
    const asked = peer.request("test/validate", { tag: "a:b", method: "run", drafts: {} });
    peer.receive({ kind: "result", id: idOf(posted[0]), ok: true, value: { issues: "none" } });
    await assert.rejects(asked, /malformed/);
  });

  test("a request that the host would drop for its size fails at once, with the way out, and is not posted", async () => {
    const { peer, posted } = page();
    const text = "1".repeat(MAX_MESSAGE_BYTES);
    await assert.rejects(
      peer.request("text/copy", { text }),
      (failure) => failure instanceof RequestFailure && failure.failure.code === "budget.exceeded",
    );
    assert.deepEqual(posted, []);
  });

  test("a request whose signal has fired is not posted", async () => {
    const { peer, posted } = page();
    await assert.rejects(
      peer.request("test/stop", { tag: "a:b" }, AbortSignal.abort()),
      (failure) => failure instanceof RequestFailure && failure.failure.code === "cancelled",
    );
    assert.deepEqual(posted, []);
  });

  test("aborting tells the host and rejects at once", async () => {
    const { peer, posted } = page();
    const abort = new AbortController();
    const asked = peer.request("test/stop", { tag: "a:b" }, abort.signal);
    abort.abort();
    await assert.rejects(asked, /Cancelled/);
    assert.deepEqual(posted[1], { kind: "cancel", id: idOf(posted[0]) });
  });

  test("2,000 random messages neither throw nor have an effect", () => {
    const { peer, heard } = page();
    const noise = fc.oneof(
      fc.anything({ maxDepth: 4, withBigInt: true, withNullPrototype: true }),
      fc.record({
        kind: fc.constant("event"),
        name: fc.oneof(fc.string(), fc.constant("test/state")),
        value: fc.anything(),
      }),
      fc.record({ kind: fc.constant("result"), id: fc.nat(), ok: fc.boolean(), value: fc.anything() }),
    );
    fc.assert(
      fc.property(noise, (message) => peer.receive(message)),
      { numRuns: 2000 },
    );
    assert.deepEqual(heard, []);
  });

  test("a mismatch drops the saved state", () => {
    const { peer, heard } = page();
    peer.receive({ kind: "mismatch", protocol: PROTOCOL + 1 });
    assert.deepEqual(heard, ["dropState"]);
  });
});

test("the size check counts texts, lists and keys, and refuses endless nesting", () => {
  assert.equal(fitsMessage({ text: "x".repeat(400) }, 1000), true);
  assert.equal(fitsMessage({ text: "x".repeat(600) }, 1000), false);
  assert.equal(fitsMessage(new Array(200).fill(1), 1000), false);
  const loop: unknown[] = [];
  loop.push(loop);
  assert.equal(fitsMessage(loop, 1_000_000), false);
});

function host(some: Partial<Handlers> = {}): {
  peer: HostPeer;
  posted: ToPage[];
  events: string[];
  settled: () => Promise<void>;
} {
  const posted: ToPage[] = [];
  const events: string[] = [];
  const port = {
    post: (message: ToPage) => void posted.push(message),
    onReady: () => void events.push("ready"),
    onMismatch: () => void events.push("mismatch"),
    describe: failureView,
  };
  const peer = new HostPeer(port, { ...noHandlers, ...some });
  return { peer, posted, events, settled: () => new Promise((resolve) => setImmediate(resolve)) };
}

function ready(peer: HostPeer): void {
  peer.receive({ kind: "ready", protocol: PROTOCOL });
}

function page(): { peer: PagePeer; posted: ToHost[]; heard: string[] } {
  const posted: ToHost[] = [];
  const heard: string[] = [];
  const listeners: EventListeners = {
    "page/init": () => void heard.push("page/init"),
    "page/subject": () => void heard.push("page/subject"),
    "model/changed": () => void heard.push("model/changed"),
    "content/changed": () => void heard.push("content/changed"),
    "content/progress": () => void heard.push("content/progress"),
    "compare/progress": () => void heard.push("compare/progress"),
    "file/changed": () => void heard.push("file/changed"),
    "test/state": () => void heard.push("test/state"),
    "test/drafts": () => void heard.push("test/drafts"),
  };
  const port = { post: (message: ToHost) => void posted.push(message), dropState: () => void heard.push("dropState") };
  return { peer: new PagePeer(port, listeners), posted, heard };
}

function idOf(message: ToHost | ToPage | undefined): number {
  assert.ok(message && "id" in message);
  return message.id;
}
