import type { JobOptions } from "../../base/ports";
import { ModelStore } from "../../store/modelStore";
import type { ContentRef } from "../contentJobs";
import { convertFile, previewConversion } from "./convert";
import type { ConversionInput } from "./convertJobs";
import type { ConversionPlan, Converted } from "./plan";
import { convertibleFile } from "./source";

/** The work behind `previewConversionJob`. @throws ModelbenchError those of `previewConversion` and `convertibleFile` */
export async function runPreviewConversion({ ref, to, options }: ConversionInput): Promise<ConversionPlan> {
  return previewConversion({ source: fileOf(ref), to, options });
}

/** The work behind `convertFileJob`. @throws ModelbenchError those of `convertFile` and `convertibleFile` */
export function runConvertFile(
  { ref, to, options, destination }: ConversionInput & { readonly destination: string },
  jobOptions: JobOptions,
): Promise<Converted> {
  return convertFile({ source: fileOf(ref), to, options }, destination, true, jobOptions);
}

function fileOf(ref: ContentRef): string {
  return ref.kind === "file" ? ref.path : convertibleFile(new ModelStore(ref.home).get(ref.tag));
}
