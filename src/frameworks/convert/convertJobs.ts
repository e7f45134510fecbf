import type { JobKey, JobOptions } from "../../base/ports";
import { type Converted, type ConvertInput, convertFile, previewConversion } from "./convert";
import type { ConversionPlan } from "./plan";

/** What a conversion would make; writes nothing. */
export const previewConversionJob: JobKey<ConvertInput, ConversionPlan> = { name: "convert.preview" };

/** The work behind `previewConversionJob`. @throws ModelbenchError those of `previewConversion` */
export async function runPreviewConversion(input: ConvertInput): Promise<ConversionPlan> {
  return previewConversion(input);
}

/** Converts a file; a file that has the destination's name already is replaced. */
export const convertFileJob: JobKey<ConvertInput & { readonly destination: string }, Converted> = { name: "convert" };

/** The work behind `convertFileJob`. @throws ModelbenchError those of `convertFile` */
export function runConvertFile(
  { destination, ...input }: ConvertInput & { readonly destination: string },
  options: JobOptions,
): Promise<Converted> {
  return convertFile(input, destination, true, options);
}
