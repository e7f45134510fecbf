import type { ModelbenchError } from "../../../src/base/errors";
import type { JobKey } from "../../../src/base/ports";
import { type ModelHandlersPort, modelHandlers, noSaveHandlers } from "../../../src/extension/page/modelHandlers";
import { PageModels } from "../../../src/extension/page/models";
import type { RunRefusal } from "../../../src/extension/services";
import { Sessions } from "../../../src/extension/sessions";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import type { ModelSummary, Problem } from "../../../src/store/model";
import { verifyModelJob } from "../../../src/store/verifyJob";
import { t } from "../extension/fakes";
import type { RigOptions } from "./pageRig";
import { type Answering, irisAnswer, irisFacts, ScriptedSession } from "./sampleModel";

/** The model that the host of these tests has. */
export const REF = { store: "own", tag: "iris_clf:v2" } as const;

/** What the host end is made of; everything but jobs, runner and prompts is the real thing. */
export interface HostOptions {
  readonly facts?: ModelFacts | ModelbenchError;
  readonly answer?: Answering;
  readonly refusal?: () => RunRefusal | undefined;
  readonly memory?: Map<string, unknown>;
  readonly pick?: () => readonly string[] | undefined;
  /** What comparing the model's files with their record finds. */
  readonly damage?: () => readonly Problem[];
}

/** The host end of a page about one model. */
export interface Host {
  readonly models: PageModels;
  readonly sessions: Sessions;
  readonly opened: ScriptedSession[];
  readonly copied: string[];
  readonly openedTexts: string[];
  /** Outputs that the next runs report as unfetchable. */
  readonly unfetchable: { name: string; reason: string }[];
  readonly handlers: RigOptions["handlers"];
}

/** Builds a host end around scripted jobs and a scripted runner. */
export function makeHost(options: HostOptions = {}): Host {
  const { facts = irisFacts, answer = irisAnswer, memory = new Map<string, unknown>() } = options;
  const opened: ScriptedSession[] = [];
  const copied: string[] = [];
  const openedTexts: string[] = [];
  const unfetchable: Host["unfetchable"] = [];
  const sessions = new Sessions({
    open: (request) => {
      const session = new ScriptedSession(request, answer, unfetchable);
      opened.push(session);
      return session;
    },
    maxLoaded: () => 2,
    idleMs: () => 0,
  });
  const models = new PageModels(
    {
      stores: { of: () => ({ home: "/home/me/bentoml", pathOf: () => "/home/me/bentoml/models/iris_clf/v2" }) },
      catalog: { find: () => summary },
      jobs: {
        run: async <Input, Result>(job: JobKey<Input, Result>): Promise<Result> => {
          if (facts instanceof Error) throw facts;
          if (job.name === verifyModelJob.name) return { checked: true, problems: options.damage?.() ?? [] } as Result;
          return facts as Result;
        },
      },
      trust: { refusal: options.refusal ?? (() => undefined) },
      settings: () => ({ maxBatchSize: 32 }),
      t,
    },
    sessions,
    { get: (key) => memory.get(key), update: async (key, value) => void memory.set(key, structuredClone(value)) },
  );
  const ui: ModelHandlersPort["ui"] = {
    copy: async (text) => void copied.push(text),
    openText: async (path) => void openedTexts.push(path),
    pickFiles: async () => options.pick?.(),
  };
  return {
    models,
    sessions,
    opened,
    copied,
    openedTexts,
    unfetchable,
    handlers: ({ follow, by }) => ({
      ...modelHandlers({ ref: () => REF, models, ui, t, by: () => by, follow }),
      ...noSaveHandlers,
    }),
  };
}

const summary: ModelSummary = {
  tag: { name: "iris_clf", version: "v2" },
  path: "/home/me/bentoml/models/iris_clf/v2",
  module: "bentoml.onnx",
  creationMs: irisFacts.createdMs,
  creationMicros: 0,
  sizeBytes: 5_949,
  isLatest: true,
  warnings: [],
};
