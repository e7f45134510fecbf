import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { selectDevice } from "../../../../src/extension/commands/selectDevice";
import type { EngineView } from "../../../../webview/protocol/views";
import { tempFolder } from "../../store/storeKit";
import { type Answers, services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const iris = { store: "own", tag: "iris_clf:v2" };
const cpu = { value: "cpu", text: "CPU" };
const engine: EngineView = {
  device: "cpu",
  devices: [cpu, { value: "python:cuda", text: "CUDA, your own onnxruntime" }],
  settings: [],
  fallbacks: [],
  loaded: [],
};

async function linesOf(answers: Answers): Promise<string[]> {
  const { services: parts, lines } = services(folder.path, { engine, ...answers });
  await selectDevice(parts, iris);
  return lines;
}

test("the devices of a model are offered by their names, and the one picked is chosen", async () => {
  const offered = "pick: Device of iris_clf:v2 [CPU, CUDA, your own onnxruntime]";
  const chosen = await linesOf({ pick: (_, labels) => labels[1] });
  assert.deepEqual(chosen, [offered, "chooseDevice: iris_clf:v2 python:cuda"]);
  assert.deepEqual(await linesOf({ pick: (_, labels) => labels[0] }), [offered]);
  assert.deepEqual(await linesOf({}), [offered]);
});

test("of one device it is said that there is nothing to choose", async () => {
  const lines = await linesOf({ engine: { ...engine, devices: [cpu] } });
  assert.deepEqual(lines, ["inform: iris_clf:v2 runs on one device only: CPU."]);
});
