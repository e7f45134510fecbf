import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CliKit, openCliKit } from "../../fixtures/cliKit";
import { missing, SOFTWARE_VULKAN } from "../../optional";
import { onnxModel } from "../runner/onnxModel";
import { linear } from "../runner/runnerKit";

let kit: CliKit;
let file: string;
before(async () => {
  kit = await openCliKit();
  file = join(kit.folder, "linear.onnx");
  writeFileSync(file, onnxModel(linear));
});
after(() => kit.dispose());

const INPUT = ["--input", "x=[[1,2]]"];

async function ran(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await kit.run(["run", ...args, ...INPUT, "-o", "json"], { env });
  assert.equal(code, 0, stderr);
  const { device, outputs } = JSON.parse(stdout);
  const warnings: { code: string; message: string }[] = stderr === "" ? [] : JSON.parse(stderr).warnings;
  return { device, y: outputs.y.data, warnings: warnings.map((one) => `${one.code}: ${one.message}`) };
}

async function failure(...args: string[]): Promise<{ code: string; message: string; remedy?: string }> {
  const { code, stderr } = await kit.run(["run", ...args, ...INPUT, "-o", "json"]);
  const { error } = JSON.parse(stderr);
  assert.equal(code, error.code === "usage" ? 2 : 1, stderr);
  return error;
}

/** A model folder whose model.yaml names providers. */
function withProviders(name: string, ...providers: string[]): string {
  const folder = join(kit.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "saved_model.onnx"), onnxModel(linear));
  const list = providers.map((one) => `\n  - ${one}`).join("");
  const text = `name: ${name}\nversion: v1\nmodule: bentoml.onnx\nlabels: {}\noptions:\n  providers:${list}\nmetadata: {}
context:\n  framework_name: onnx\n  framework_versions: {}\n  bentoml_version: 1.4.39\n  python_version: ''
signatures:\n  run:\n    batchable: false\napi_version: v1\ncreation_time: '2026-01-01T00:00:00+00:00'\n`;
  writeFileSync(join(folder, "model.yaml"), text);
  return folder;
}

test("a model that names providers runs on the first that works without being told to, and it is said which do not", async () => {
  const folder = withProviders("picky", "CUDAExecutionProvider", "CPUExecutionProvider");
  const { device, warnings, y } = await ran([folder]);
  assert.deepEqual([device, y], ["cpu", [[6, 9, 12]]]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^device\.fallback: cuda is not used: /);
  assert.deepEqual(await ran([folder, "--device", "cpu"]), { device: "cpu", y: [[6, 9, 12]], warnings: [] });
  const human = await kit.run(["run", folder, ...INPUT]);
  assert.match(human.stderr, /cuda is not used: /);
  assert.match(human.stdout, / · cpu\n$/);
});

test("a device that there is not, and an interpreter that nothing would use, are usage errors", async () => {
  for (const device of ["tpu", "python:", "python:tpu", "cuda:x", "cpu:1", "python:python:cpu"]) {
    const { code, message } = await failure(file, "--device", device);
    assert.deepEqual([code, message.includes(JSON.stringify(device))], ["usage", true], message);
  }
  assert.equal((await failure(file, "--python", "/usr/bin/python3")).code, "usage");
  assert.equal(
    (await failure(file, "--device", "python:cpu", "--allow-code")).message,
    "--allow-code is for models that need Python.",
  );
  assert.equal((await failure(file, "--device", "python:cpu", "--python", "")).code, "usage");
  const gone = await failure(file, "--device", "python:cpu", "--python", join(kit.folder, "nowhere"));
  assert.equal(gone.code, "python.missing");
});

test("a GPU that this machine does not have is refused by its number", { skip: !missing("gpu") }, async () => {
  const { code, remedy } = await failure(file, "--device", "cuda:1");
  assert.deepEqual([code, remedy], ["device.unavailable", "Use cpu or webgpu, or auto for the first that works."]);
});

test("the limit of a wait is milliseconds above 0", async () => {
  assert.deepEqual((await ran([file, "--max-latency-ms", "0.5"])).y, [[6, 9, 12]]);
  for (const value of ["0", "-1", "soon", "1e3", "99999999999"]) {
    const { code, message } = await failure(file, `--max-latency-ms=${value}`);
    assert.equal(code, "usage");
    assert.match(message, /^`max-latency-ms` has /);
  }
});

test("WebGPU is found through the variables of this terminal, and what it passes over is said", {
  skip: missing("vulkan"),
}, async () => {
  const vulkan = {
    LD_LIBRARY_PATH: SOFTWARE_VULKAN,
    VK_ICD_FILENAMES: join(SOFTWARE_VULKAN, "vk_swiftshader_icd.json"),
  };
  const one = "device.fallback: 2 runs at once are for the CPU only: on webgpu there is one at a time.";
  const named = await ran([file, "--device", "webgpu", "--concurrency", "2"], vulkan);
  assert.deepEqual(named, { device: "webgpu", y: [[6, 9, 12]], warnings: [one] });
  const folder = withProviders("graphics", "CUDAExecutionProvider", "WebGpuExecutionProvider");
  const { device, warnings } = await ran([folder], vulkan);
  assert.deepEqual([device, warnings.length], ["webgpu", 1]);
  assert.match(warnings[0] ?? "", /^device\.fallback: cuda is not used: /);
});
