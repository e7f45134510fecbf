import assert from "node:assert/strict";
import test, { after } from "node:test";
import { zipCases } from "../../../fixtures/hostileZips";
import { tempFolder } from "../storeKit";
import { attempt } from "./attempt";

const { path: folder, remove } = tempFolder();
after(remove);

for (const { id, zip, refusedAs } of zipCases()) {
  test(`zip ${id} is ${refusedAs === undefined ? "imported" : `refused as ${refusedAs}`}`, async () => {
    const { error, tag, tree } = await attempt(folder, "case.zip", zip);
    assert.equal(error?.code, refusedAs, error?.message ?? "accepted");
    if (refusedAs === undefined) {
      assert.equal(tag, "hostile_model:v1");
      assert.ok(tree?.has("model.yaml"));
    }
  });
}
