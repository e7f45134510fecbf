import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parsePyYaml, type YamlMap } from "../../../../src/formats/pyYaml";
import { devicesToTry, type OnnxDevice, readProviders, whyNoDevice } from "../../../../src/frameworks/onnx/providers";
import { createOnnxSession } from "../../../../src/frameworks/onnx/run";
import { DEFAULT_SETTINGS, onnxSettings } from "../../../../src/frameworks/onnx/sessionOptions";
import { addModel, floats } from "../../../fixtures/onnxParts";

const folder = mkdtempSync(join(tmpdir(), "mb-providers-"));
after(() => rmSync(folder, { recursive: true }));

const linux = [
  { name: "cpu", bundled: true },
  { name: "webgpu", bundled: true },
  { name: "cuda", bundled: false },
  { name: "tensorrt", bundled: false },
];
const mac = [
  { name: "cpu", bundled: true },
  { name: "coreml", bundled: true },
];

function plan(device: string, backends = linux, wanted?: readonly OnnxDevice[], hasGraphics = true) {
  return devicesToTry(device, backends, { hasGraphics, wanted });
}

function providersOf(yaml: string) {
  const { providers, remarks } = onnxSettings({}, parsePyYaml(`providers: ${yaml}`) as YamlMap);
  return { providers, remarks };
}

test("a device that is named is tried alone", () => {
  assert.deepEqual(plan("cuda"), { devices: ["cuda"], fallbacks: [] });
  assert.deepEqual(plan("cpu", linux, ["cuda"]), { devices: ["cpu"], fallbacks: [] });
  assert.deepEqual(plan("webgpu", linux, undefined, false), { devices: ["webgpu"], fallbacks: [] });
});

test("a device that is not there is refused, naming those there are", () => {
  const [message, remedy] = [/There is no device "gpu"/, /^Use cpu or webgpu, or auto/];
  assert.throws(() => plan("gpu"), { code: "device.unavailable", message, remedy });
  assert.throws(() => plan("tensorrt"), { code: "device.unavailable", remedy });
  assert.throws(() => plan("coreml"), { code: "device.unavailable", message: /coreml is not in this build/, remedy });
  assert.throws(() => plan("cuda", mac), { code: "device.unavailable", remedy: /^Use cpu or coreml, or auto/ });
});

test("auto tries what the build has, the CPU last, and says nothing of what no build like it has", () => {
  assert.deepEqual(plan("auto"), { devices: ["cuda", "webgpu", "cpu"], fallbacks: [] });
  assert.deepEqual(plan("auto", mac), { devices: ["coreml", "cpu"], fallbacks: [] });
});

test("auto leaves WebGPU out where only a renderer in software could take it, and says so", () => {
  const { devices, fallbacks } = plan("auto", linux, undefined, false);
  assert.deepEqual(devices, ["cuda", "cpu"]);
  assert.deepEqual(fallbacks, ["webgpu is not used: this machine shows no graphics device."]);
});

test("auto takes the model's own list and order, says what is missing, and ends with the CPU", () => {
  assert.deepEqual(plan("auto", linux, ["webgpu", "cuda"], false).devices, ["webgpu", "cuda", "cpu"]);
  assert.deepEqual(plan("auto", linux, ["cpu", "cuda"]).devices, ["cpu", "cuda"]);
  assert.deepEqual(plan("auto", mac, ["cuda", "coreml"]), {
    devices: ["coreml", "cpu"],
    fallbacks: ["cuda is not used: it is not in this build of ONNX Runtime."],
  });
});

test("providers of model.yaml become devices; what has no counterpart, and options, are spoken of", () => {
  assert.deepEqual(providersOf("[CUDAExecutionProvider, CPUExecutionProvider]"), {
    providers: ["cuda", "cpu"],
    remarks: undefined,
  });
  const { providers, remarks = [] } = providersOf(
    "[TensorrtExecutionProvider, [CUDAExecutionProvider, {device_id: 1}], [DmlExecutionProvider, {}]]",
  );
  assert.deepEqual(providers, ["cuda", "dml"]);
  assert.match(remarks[0] ?? "", /TensorrtExecutionProvider, which this version does not use/);
  assert.match(remarks[1] ?? "", /options for CUDAExecutionProvider/);
  assert.equal(remarks.length, 2);
  assert.deepEqual(providersOf("[]"), { providers: undefined, remarks: undefined });
});

test("a list of providers that is none is refused with the names there are", () => {
  for (const yaml of ["CPUExecutionProvider", "[cuda]", "[1]", "[[]]", "{a: 1}", "[toString]"]) {
    assert.throws(() => providersOf(yaml), { code: "model.broken", remedy: /CUDAExecutionProvider, Dml/ }, yaml);
  }
  assert.deepEqual(readProviders(undefined), { providers: [], remarks: [] });
});

test("what fails on the CPU is never the device's fault", () => {
  const cause = new Error("kernel for CPUExecutionProvider is missing");
  assert.equal(whyNoDevice("cpu", cause), undefined);
  assert.equal(whyNoDevice("webgpu", new Error("Protobuf parsing failed")), undefined);
});

// The loader of Vulkan finds no driver here, whatever the machine has.
process.env["VK_ICD_FILENAMES"] = join(folder, "none.json");
process.env["VK_DRIVER_FILES"] = join(folder, "none.json");
const onLinux = { skip: process.platform !== "linux" && "other platforms have other devices" };

test("a device that does not work fails with the reason, and nothing takes its place", onLinux, async () => {
  const path = join(folder, "add.onnx");
  writeFileSync(path, addModel());
  const message = /^webgpu cannot be used: there is no graphics driver that WebGPU can use\.$/;
  await assert.rejects(createOnnxSession(path, "webgpu"), {
    code: "device.unavailable",
    message,
    remedy: /^Use cpu, or auto/,
  });
});

test("auto says aloud what did not work, and then runs on the CPU", onLinux, async () => {
  const path = join(folder, "auto.onnx");
  writeFileSync(path, addModel());
  const session = await createOnnxSession(path, "auto", {
    ...DEFAULT_SETTINGS,
    providers: ["webgpu", "dml", "cpu"],
    remarks: ["The model asks for more."],
  });
  assert.equal(session.device, "cpu");
  assert.deepEqual(session.fallbacks, [
    "The model asks for more.",
    "dml is not used: it is not in this build of ONNX Runtime.",
    "webgpu is not used: there is no graphics driver that WebGPU can use.",
  ]);
  const { y } = await session.run({ x: { dtype: "float32", shape: [1, 3], data: floats(1, 2, 3) } });
  assert.equal(y?.data.byteLength, 12);
  await session.release();
});

test("a file that is no model is called that, whatever the device", onLinux, async () => {
  const path = join(folder, "cut.onnx");
  writeFileSync(path, addModel().subarray(0, 40));
  await assert.rejects(createOnnxSession(path, "auto"), { code: "format.corrupt" });
});
