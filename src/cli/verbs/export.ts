import { inProcessJobs } from "../../jobs/inProcess";
import { exportModelJob } from "../../store/archive/archiveJobs";
import { modelText } from "../deleting";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

const FORMATS = ["bentomodel", "tar", "tar.gz", "tar.xz", "tar.bz2", "zip", "folder"] as const;
const COMPRESSIONS = ["stored", "small"] as const;

/** Writes one version as an archive or a folder that a real BentoML imports. */
export const exportVerb: Verb = {
  syntax: {
    usage: `export TAG [DEST] [--format ${FORMATS.join("|")}] [--compression stored|small] [-o json]`,
    example: "export iris_clf:latest ./iris_clf.bentomodel",
    operands: [1, 2],
    options: { format: { oneOf: FORMATS }, compression: { oneOf: COMPRESSIONS }, output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const [tag = "", destination] = args.operands;
    const format = FORMATS.find((known) => known === args.value("format"));
    const compression = COMPRESSIONS.find((known) => known === args.value("compression"));
    const chosen = {
      ...(destination && { destination }),
      ...(format && { format }),
      ...(compression && { compression }),
    };
    const request = { home: context.home, tag, ...chosen };
    const exported = await inProcessJobs().run(exportModelJob, request, jobOptions(context, `Exporting ${tag}`));
    if (context.output.json) context.output.document(JSON.stringify(exported, null, 2));
    else context.output.lines(`${modelText(exported.tag)} exported to ${exported.path}.`);
  },
};
