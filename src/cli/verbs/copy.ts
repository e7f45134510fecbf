import { resolve } from "node:path";
import { inProcessJobs } from "../../jobs/inProcess";
import { copyModelJob } from "../../store/copyModelJob";
import { tagOfFolder } from "../../store/layout";
import { openForAdding } from "../openForWriting";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Copies one version to another tag, in this store or in another one. */
export const copy: Verb = {
  syntax: {
    usage: "copy TAG NAME[:VERSION] [--to-home DIR] [-o json]",
    example: "copy iris_clf:v1 iris_clf:prod",
    operands: [2, 2],
    options: { "to-home": "value", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const { home, output } = context;
    const [from = "", to = ""] = args.operands;
    const other = args.value("to-home");
    const store = await openForAdding(home);
    const tag = tagOfFolder(store.get(from).path);
    const input = { home, from: tag, to, ...(other && { toHome: resolve(other) }) };
    const copied = await inProcessJobs().run(copyModelJob, input, jobOptions(context, `Copying ${from}`));
    if (output.json) output.document(JSON.stringify([copied], null, 2));
    else output.lines(`${copied.tag} copied to ${copied.path}.`);
  },
};
