import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import {
  compareSelected,
  compareWithPrevious,
  compareWithSelected,
  selectForCompare,
} from "../../../../src/extension/commands/compareModels";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

const { path: home, remove } = tempFolder();
plant(home, "iris", "v1", "2026-01-01T00:00:00+00:00");
plant(home, "iris", "v2", "2026-02-01T00:00:00+00:00");
after(remove);

const ref = (version: string) => ({ store: "own", tag: `iris:${version}` }) as const;

async function ready(answers: Parameters<typeof services>[1] = {}) {
  const made = services(home, answers);
  await made.services.catalog.ready("own");
  await made.services.catalog.details("own", "iris");
  return made;
}

suite("comparing models", () => {
  test("one is selected, then another one is compared with it", async () => {
    const { services: parts, lines } = await ready();
    await assert.rejects(compareWithSelected(parts, ref("v2")), { code: "usage", message: /Nothing is selected/ });
    await selectForCompare(parts, ref("v1"));
    await compareWithSelected(parts, { fsPath: "/tmp/iris.onnx" });
    await compareWithSelected(parts, ref("v2"));
    assert.deepEqual(lines, ["compare: iris:v1 with /tmp/iris.onnx", "compare: iris:v1 with iris:v2"]);
  });

  test("without a row they ask which", async () => {
    const { services: parts, lines } = await ready({ pick: (_, labels) => labels.at(-1) });
    await selectForCompare(parts);
    await compareWithSelected(parts);
    assert.match(lines.at(-1) ?? "", /^compare: iris:v1 with iris:v1$/);
    assert.match(lines[0] ?? "", /^pick: Compare which model\?/);
  });

  test("a version is compared with the one saved before it", async () => {
    const { services: parts, lines } = await ready();
    await compareWithPrevious(parts, ref("v2"));
    assert.deepEqual(lines, ["compare: iris:v1 with iris:v2"]);
    await assert.rejects(compareWithPrevious(parts, ref("v1")), {
      code: "model.notFound",
      message: /no version before/,
    });
  });

  test("two that are selected are compared, the older one first", async () => {
    const { services: parts, lines } = await ready();
    await compareSelected(parts, ref("v2"), [ref("v2"), ref("v1")] as never);
    await compareSelected(parts, { fsPath: "/b" }, [{ fsPath: "/b" }, { fsPath: "/a" }]);
    assert.deepEqual(lines, ["compare: iris:v1 with iris:v2", "compare: /b with /a"]);
    await assert.rejects(compareSelected(parts, ref("v1")), { code: "usage" });
  });
});
