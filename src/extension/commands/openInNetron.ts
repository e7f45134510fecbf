import { describeGraphJob } from "../../frameworks/onnx/graphJobs";
import type { Target } from "../ids";
import type { Services } from "../services";
import { oneModel } from "../targets";

/** Opens the ONNX file of a model in the extension that draws it. */
export async function openInNetron(services: Services, target?: Target): Promise<void> {
  const { jobs, netron, stores, t } = services;
  const model = await oneModel(services, target, t("Open which ONNX model in Netron?"));
  if (!model) return;
  const ref = { kind: "model", home: stores.of(model).home, tag: model.tag } as const;
  const { file } = await jobs.run(describeGraphJob, { ref, graph: 0 });
  await netron.open(file);
}
