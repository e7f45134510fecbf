import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../src/base/log";
import { tensorToNested } from "../../src/formats/tensorJson";
import { inspectFile } from "../../src/frameworks/inspect";
import { openSession } from "../../src/runner/session";
import { type OnnxType, onnxModel } from "../unit/runner/onnxModel";
import { repository, temporaryFolder } from "./kit";

/** A value of each type that the runtime takes, as JSON gives it and as it comes back. */
const VALUES: Readonly<Record<OnnxType, unknown>> = {
  bool: true,
  float16: 1.5,
  float32: 0.5,
  float64: 0.1,
  int8: -8,
  int16: -16,
  int32: -32,
  int64: -(2n ** 63n),
  string: "größer",
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 2n ** 64n - 1n,
};

describe("the runtime under VS Code's own Node", () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  for (const [dtype, value] of Object.entries(VALUES) as [OnnxType, unknown][]) {
    it(`takes ${dtype} and gives it back`, async () => {
      const file = join(folder.path, `${dtype}.onnx`);
      const graph = {
        inputs: [{ name: "x", dtype, shape: ["n"] }],
        outputs: [{ name: "y", dtype, shape: ["n"] }],
        nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
      };
      writeFileSync(file, onnxModel(graph));
      const { signatures } = inspectFile(file);
      const batching = { enabled: true, maxBatchSize: 8 };
      const session = openSession(
        { label: dtype, adapter: "onnx", file, device: "cpu", signatures, batching },
        { entry: join(repository(), "dist/runner.cjs"), log: silentLog },
      );
      try {
        const inputs = { x: { kind: "json", value: [value, value] } } as const;
        const { outputs } = await session.run({ method: "run", inputs, batch: true });
        const [output] = outputs;
        assert.ok(output?.tensor);
        assert.deepEqual(tensorToNested(output.tensor), [value, value]);
      } finally {
        await session.stop();
      }
    });
  }
});
