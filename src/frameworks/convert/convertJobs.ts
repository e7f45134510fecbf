import type { JobKey } from "../../base/ports";
import type { ContentRef } from "../contentJobs";
import type { ConversionPlan, Converted, ConvertibleFormat, ConvertOptions } from "./plan";

/** What is converted into what. */
export interface ConversionInput {
  readonly ref: ContentRef;
  readonly to: ConvertibleFormat;
  readonly options: ConvertOptions;
}

/** What a conversion would make; writes nothing. */
export const previewConversionJob: JobKey<ConversionInput, ConversionPlan> = { name: "convert.preview" };

/** Converts a file; a file that has the destination's name already is replaced. */
export const convertFileJob: JobKey<ConversionInput & { readonly destination: string }, Converted> = {
  name: "convert",
};
