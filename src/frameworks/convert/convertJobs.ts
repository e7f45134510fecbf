import type { JobKey, JobOptions } from "../../base/ports";
import { ModelStore } from "../../store/modelStore";
import type { ContentRef } from "../contentJobs";
import { type Converted, convertFile, previewConversion } from "./convert";
import type { ConversionPlan, ConvertibleFormat, ConvertOptions } from "./plan";
import { convertibleFile } from "./source";

/** What is converted into what. */
export interface ConversionInput {
  readonly ref: ContentRef;
  readonly to: ConvertibleFormat;
  readonly options: ConvertOptions;
}

/** What a conversion would make; writes nothing. */
export const previewConversionJob: JobKey<ConversionInput, ConversionPlan> = { name: "convert.preview" };

/** The work behind `previewConversionJob`. @throws ModelbenchError those of `previewConversion` and `convertibleFile` */
export async function runPreviewConversion({ ref, to, options }: ConversionInput): Promise<ConversionPlan> {
  return previewConversion({ source: fileOf(ref), to, options });
}

/** Converts a file; a file that has the destination's name already is replaced. */
export const convertFileJob: JobKey<ConversionInput & { readonly destination: string }, Converted> = {
  name: "convert",
};

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
