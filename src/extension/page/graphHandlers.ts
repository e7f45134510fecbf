import type { Handlers } from "../../../webview/protocol/hostPeer";
import type { Jobs } from "../../base/ports";
import type { ContentRef } from "../../frameworks/contentJobs";
import {
  describeGraphJob,
  describeNodeJob,
  listGraphNodesJob,
  listGraphsJob,
  listGraphValuesJob,
} from "../../frameworks/onnx/graphJobs";
import type { Netron } from "../netron";

/** The requests about the graphs of a page's subject. */
export type GraphHandlers = Pick<Handlers, Extract<keyof Handlers, `graph/${string}`>>;

/** What the answers are made from. */
export interface GraphHandlersPort {
  /** The model or file that the page shows now. @throws ModelbenchError when there is none */
  ref(): ContentRef;
  readonly jobs: Jobs;
  readonly netron: Netron;
}

/** Answers of any page that shows an ONNX file; all reading happens in the jobs process. */
export function graphHandlers({ ref, jobs, netron }: GraphHandlersPort): GraphHandlers {
  return {
    "graph/describe": async ({ graph }, signal) => {
      const { file: _, ...summary } = await jobs.run(describeGraphJob, { ref: ref(), graph }, { signal });
      return { ...summary, hasNetron: netron.isThere() };
    },
    "graph/graphs": async (part, signal) => jobs.run(listGraphsJob, { ref: ref(), ...part }, { signal }),
    "graph/nodes": async (part, signal) => jobs.run(listGraphNodesJob, { ref: ref(), ...part }, { signal }),
    "graph/values": async (part, signal) => jobs.run(listGraphValuesJob, { ref: ref(), ...part }, { signal }),
    "graph/node": async (at, signal) => jobs.run(describeNodeJob, { ref: ref(), ...at }, { signal }),
    "graph/openNetron": async (_, signal) => {
      const { file } = await jobs.run(describeGraphJob, { ref: ref(), graph: 0 }, { signal });
      await netron.open(file);
      return null;
    },
  };
}
