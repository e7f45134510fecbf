import { join } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { silentLog } from "../../base/log";
import { methodOf } from "../../runner/inputCheck";
import type { LoadRequest, RunRequest, RunResult } from "../../runner/protocol";
import { openSession } from "../../runner/session";
import { tagOfFolder } from "../../store/layout";
import { assertUnchanged } from "../../store/verifyJob";
import { readInputs } from "../runInputs";
import { presentResult } from "../runOutput";
import { openSubject, runnable } from "../subject";
import { resolveTarget } from "../target";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** One inference, in a runner process as in the editor. */
export const run: Verb = {
  syntax: {
    usage: "run TAG|FILE [--method M] [--input NAME=V]... [--example] [--device cpu] [--out DIR] [-o json]",
    example: "run iris_clf --example",
    operands: [0, 1],
    options: {
      tag: "value",
      file: "value",
      method: "value",
      input: "values",
      example: "switch",
      device: { oneOf: ["cpu"] },
      out: "value",
      output: JSON_OR_TEXT,
    },
    laterValues: ["device=cuda", "device=auto"],
    later: ["no-batch", "python", "as", "dtype", "allow-code"],
  },
  async run(context, args) {
    const target = resolveTarget(args.operands[0], args.value("tag"), args.value("file"));
    const subject = openSubject(context.home, target);
    const { request, examples, warnings } = runnable(subject, args.value("device") ?? "cpu");
    if (target.kind === "tag" && subject.kind === "model") {
      await assertUnchanged(context.home, tagOfFolder(subject.model.path), { signal: context.signal });
    }
    for (const warning of warnings) context.output.warn(warning);
    const method = chosenMethod(request, args.value("method"));
    const example = args.isSet("example") ? examples[method] : undefined;
    const signature = methodOf(request.signatures, method);
    const inputs = await readInputs(signature, args.values("input"), example, context.signal);
    const { result, loadMs } = await inferOnce(context, request, { method, inputs, batch: true });
    for (const { name, reason } of result.unfetchable) {
      context.output.warn({ code: "output.unfetchable", message: `${name}: ${reason}` });
    }
    presentResult(context.output, { ...result, timing: { ...result.timing, loadMs } }, args.value("out"));
  },
};

/** The method asked for, else the only one, else `__call__`. @throws ModelbenchError `method.notFound` */
function chosenMethod({ signatures }: LoadRequest, wanted: string | undefined): string {
  const [only, second] = Object.keys(signatures);
  const method = wanted ?? (only !== undefined && second === undefined ? only : "__call__");
  methodOf(signatures, method);
  return method;
}

async function inferOnce(
  { bundles, signal }: VerbContext,
  request: LoadRequest,
  call: RunRequest,
): Promise<{ result: RunResult; loadMs: number }> {
  const session = openSession(request, { entry: join(bundles, "runner.cjs"), log: silentLog });
  try {
    const [issue] = await session.validate(call.method, call.inputs);
    if (issue !== undefined) throw new ModelbenchError(issue.error.code, issue.error.message, issue.error);
    const { loadMs } = await session.load(signal);
    return { result: await session.run(call, signal), loadMs };
  } finally {
    await session.stop();
  }
}
