import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelbenchError, toWireError } from "../../../src/base/errors";

test("a failure out of another bundle's copy of the class keeps its code, remedy and path", () => {
  // What esbuild makes of one source in two bundles: two classes of one name.
  class Copy extends Error {
    override readonly name = "ModelbenchError";
    readonly code = "model.notFound";
    readonly remedy = "List the store.";
    readonly path = "/store";
    readonly offset = undefined;
  }
  const failure: unknown = new Copy("Not there.");
  assert.ok(failure instanceof ModelbenchError);
  assert.deepEqual(toWireError(failure), {
    code: "model.notFound",
    message: "Not there.",
    remedy: "List the store.",
    path: "/store",
  });
});

test("any other error is a bug of ours and says its message only", () => {
  const failure = Object.assign(new Error("broke"), { code: "ENOENT", path: "/secret" });
  assert.equal(failure instanceof ModelbenchError, false);
  assert.deepEqual(toWireError(failure), { code: "internal", message: "broke" });
});
