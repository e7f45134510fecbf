import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { YamlMap } from "../../src/formats/pyYaml";
import { readProviders } from "../../src/frameworks/onnx/providers";
import { createOnnxSession } from "../../src/frameworks/onnx/run";
import { DEFAULT_SETTINGS, type OnnxSettings, onnxSettings } from "../../src/frameworks/onnx/sessionOptions";
import { readModelFolder } from "../../src/store/lookup";
import { conv, scaledMatMul } from "../fixtures/foldedModels";

/** What onnxSettingsPeer.py says. */
interface PeerAnswer {
  readonly levels: Readonly<Record<string, number>>;
  readonly modes: Readonly<Record<string, number>>;
  readonly finite: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  readonly providers: readonly string[];
  readonly folders: readonly string[];
}

/** A level that our settings leave to `all`: it differs in the layout of the CPU's tensors only. */
const OUR_LEVELS = ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"];

const models = { conv, scaled: scaledMatMul };
const folder = mkdtempSync(join(tmpdir(), "mb-onnx-settings-"));
let peer: PeerAnswer;
before(() => {
  const described = Object.entries(models).map(([name, { model, x }]) => {
    const file = join(folder, `${name}.onnx`);
    writeFileSync(file, model);
    const values = [...new Float32Array(x.data.slice().buffer)];
    return [name, { file, x: values, shape: x.shape }];
  });
  const input = JSON.stringify({ home: join(folder, "home"), models: Object.fromEntries(described) });
  const output = execFileSync(".tools/venv/bin/python", ["test/peers/onnxSettingsPeer.py"], {
    input,
    timeout: 240_000,
  });
  peer = JSON.parse(output.toString());
});
after(() => rmSync(folder, { recursive: true }));

function settingsOf(option: string, value: string | number): OnnxSettings {
  return onnxSettings({}, new Map([["session_options", new Map([[option, value]])]]) as YamlMap);
}

test("every level of optimization is taken by its name and its number, and does what it does in Python", async () => {
  for (const level of OUR_LEVELS) {
    const settings = settingsOf("graph_optimization_level", level);
    assert.deepEqual(settingsOf("graph_optimization_level", peer.levels[level] ?? Number.NaN), settings);
    for (const [name, { x }] of Object.entries(models)) {
      const session = await createOnnxSession(join(folder, `${name}.onnx`), "cpu", settings);
      const { y } = await session.run({ x });
      await session.release();
      const [first = 0] = new Float32Array(y?.data.slice().buffer ?? []);
      assert.equal(Number.isFinite(first), peer.finite[name]?.[level], `${name} at ${level}`);
    }
  }
});

test("Python's runtime has no level and no mode that is not known here, but the one for layouts", () => {
  assert.deepEqual(
    Object.keys(peer.levels).filter((level) => !OUR_LEVELS.includes(level)),
    ["ORT_ENABLE_LAYOUT"],
  );
  assert.throws(() => settingsOf("graph_optimization_level", "ORT_ENABLE_LAYOUT"), { code: "model.broken" });
  assert.deepEqual(
    Object.entries(peer.modes).map(([name, number]) => [
      settingsOf("execution_mode", name).executionMode,
      settingsOf("execution_mode", number).executionMode,
    ]),
    [
      ["sequential", "sequential"],
      ["parallel", "parallel"],
    ],
  );
});

test("every provider that Python's runtime knows is a device, or is spoken of", () => {
  for (const name of peer.providers) {
    const { providers, remarks } = readProviders([name]);
    assert.equal(providers.length + remarks.length, 1, name);
  }
  assert.deepEqual(readProviders([...peer.providers]).providers.sort(), ["coreml", "cpu", "cuda", "dml", "webgpu"]);
});

test("what the real bentoml saves has the default settings", () => {
  assert.equal(peer.folders.length, 2);
  for (const path of peer.folders) {
    const { options } = readModelFolder(path).info;
    assert.ok(options.has("session_options") && options.has("providers"));
    assert.deepEqual(onnxSettings({}, options), DEFAULT_SETTINGS);
  }
});
