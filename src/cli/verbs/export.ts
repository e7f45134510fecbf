import { inProcessJobs } from "../../jobs/inProcess";
import { exportModelJob } from "../../store/archive/archiveJobs";
import { modelText } from "../deleting";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

const FORMATS = ["bentomodel", "tar", "tar.gz"] as const;

/** Writes one version as an archive that a real BentoML imports. */
export const exportVerb: Verb = {
  syntax: {
    usage: "export TAG [DEST] [--format bentomodel|tar|tar.gz] [-o json]",
    example: "export iris_clf:latest ./iris_clf.bentomodel",
    operands: [1, 2],
    laterValues: ["tar.xz", "tar.bz2", "zip", "folder"].map((format) => `format=${format}`),
    options: { format: { oneOf: FORMATS }, output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const [tag = "", destination] = args.operands;
    const format = FORMATS.find((known) => known === args.value("format"));
    const request = { home: context.home, tag, ...(destination && { destination }), ...(format && { format }) };
    const exported = await inProcessJobs().run(exportModelJob, request, jobOptions(context, `Exporting ${tag}`));
    if (context.output.json) context.output.document(JSON.stringify(exported, null, 2));
    else context.output.lines(`${modelText(exported.tag)} exported to ${exported.path}.`);
  },
};
