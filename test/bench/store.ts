import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes `count` models of BentoML's layout below `home`, 20 versions a name, each with one small weights file. */
export function writeBenchStore(home: string, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const name = `model_${String(Math.floor(i / 20)).padStart(4, "0")}`;
    const version = `v${String(i % 20).padStart(2, "0")}`;
    const folder = join(home, "models", name, version);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "model.yaml"), modelYaml(name, version, i));
    writeFileSync(join(folder, "saved_model.onnx"), Buffer.alloc(1024 + (i % 512)));
    writeFileSync(join(home, "models", name, "latest"), version);
  }
}

function modelYaml(name: string, version: string, i: number): string {
  const created = new Date(Date.UTC(2026, 0, 1) + i * 60_000)
    .toISOString()
    .replace("Z", `${String(i % 1000).padStart(3, "0")}+00:00`);
  return `name: ${name}
version: ${version}
module: bentoml.onnx
labels:
  stage: dev
  owner: vision
options:
  input_specs: null
  output_specs: null
  providers: null
  session_options: null
metadata:
  accuracy: 0.9${i % 10}
  dataset: '20260101'
context:
  framework_name: onnx
  framework_versions:
    onnx: 1.23.2
    onnxruntime: 1.31.1
  bentoml_version: 1.4.39
  python_version: 3.11.7
signatures:
  run:
    batchable: true
    batch_dim:
    - 0
    - 0
api_version: v2
creation_time: '${created}'
`;
}
