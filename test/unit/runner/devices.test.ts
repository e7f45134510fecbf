import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceEnvironment, gpuOf, numbered, visibleGpus } from "../../../src/runner/devices";

const env = {
  PATH: "/bin",
  SECRET_TOKEN: "s3cret",
  LD_LIBRARY_PATH: "/cuda/lib",
  VK_ICD_FILENAMES: "/icd.json",
  VK_DRIVER_FILES: "/driver.json",
  CUDA_VISIBLE_DEVICES: "3,5",
};

test("what finds a graphics device is passed on, but not to what runs on the CPU, and nothing else is", () => {
  assert.deepEqual(deviceEnvironment("cpu", env), {});
  const { PATH: _, SECRET_TOKEN: __, ...passed } = env;
  for (const device of ["auto", "webgpu", "cuda", "cuda:1", "gpu"])
    assert.deepEqual(deviceEnvironment(device, env), passed);
  assert.deepEqual(deviceEnvironment("auto", { PATH: "/bin" }), {});
});

test("a GPU that is named by its number is the only one that is seen, and keeps its number", () => {
  assert.deepEqual(gpuOf("cuda:12"), { kind: "cuda", index: 12 });
  assert.deepEqual(gpuOf("cuda"), { kind: "cuda" });
  assert.deepEqual(gpuOf("cuda:x"), { kind: "cuda:x" });
  assert.equal(visibleGpus("cuda:1", {}), "1");
  assert.equal(visibleGpus("cuda", {}), undefined);
  assert.equal(visibleGpus("cpu", env), "-1");
  assert.deepEqual(
    [numbered("cuda", "cuda:1"), numbered("cpu", "cuda:1"), numbered("cuda", "auto")],
    ["cuda:1", "cpu", "cuda"],
  );
});

test("numbers count among those that CUDA_VISIBLE_DEVICES shows, whose list ends at what is no GPU", () => {
  assert.equal(visibleGpus("cuda", env), "3,5");
  assert.equal(visibleGpus("cuda:1", env), "5");
  assert.equal(visibleGpus("gpu:0", { CUDA_VISIBLE_DEVICES: " GPU-8932f937 , 1" }), "GPU-8932f937");
  for (const [shown, told] of [
    ["3", "1 GPU."],
    ["3,-1,5", "1 GPU."],
    ["", "0 GPUs."],
    ["-1", "0 GPUs."],
  ] as const) {
    assert.throws(() => visibleGpus("cuda:1", { CUDA_VISIBLE_DEVICES: shown }), {
      code: "device.unavailable",
      message: `cuda:1 is not there: CUDA_VISIBLE_DEVICES shows ${told}`,
    });
  }
});
