import type { ModelbenchError } from "../../../src/base/errors";
import type { JobKey, Jobs } from "../../../src/base/ports";
import { contentHandlers } from "../../../src/extension/page/contentHandlers";
import { type ModelHandlersPort, modelHandlers } from "../../../src/extension/page/modelHandlers";
import { PageModels } from "../../../src/extension/page/models";
import { noHandlers } from "../../../src/extension/page/noHandlers";
import type { PythonTestPort } from "../../../src/extension/python/pythonTest";
import type { RunRefusal } from "../../../src/extension/services";
import { Sessions } from "../../../src/extension/sessions";
import { type BrokenFacts, brokenFactsJob } from "../../../src/frameworks/brokenFacts";
import { type ContentSummary, describeContentJob } from "../../../src/frameworks/contentJobs";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import { listBentosJob } from "../../../src/store/bentos";
import type { ModelSummary, Problem } from "../../../src/store/model";
import { verifyModelJob } from "../../../src/store/verifyJob";
import { fakePythonTests } from "../extension/fakePython";
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
  /** What models that need Python are tested with, where it is not the usual. */
  readonly python?: Partial<PythonTestPort>;
  /** What is found of a model that cannot be read. */
  readonly broken?: BrokenFacts;
  /** Answers of the jobs by name, before anything else. */
  readonly jobs?: Readonly<Record<string, (input: never) => unknown>>;
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
  /** Commands of the extension that the page asked for. */
  readonly commands: string[];
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
  const commands: string[] = [];
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
  const jobs: Jobs = {
    run: async <Input, Result>(job: JobKey<Input, Result>, input: Input): Promise<Result> => {
      const scripted = options.jobs?.[job.name];
      if (scripted) return (await scripted(input as never)) as Result;
      if (job.name === listBentosJob.name) return { "iris_clf:v2": ["iris_service:7fq2"] } as Result;
      if (job.name === brokenFactsJob.name) return (options.broken ?? nothingFound) as Result;
      if (job.name === describeContentJob.name) return noContent as Result;
      if (facts instanceof Error) throw facts;
      if (job.name === verifyModelJob.name) return { checked: true, problems: options.damage?.() ?? [] } as Result;
      return facts as Result;
    },
  };
  const models = new PageModels(
    {
      stores: { of: () => ({ home: "/home/me/bentoml", pathOf: () => "/home/me/bentoml/models/iris_clf/v2" }) },
      catalog: { find: () => summary, recheck: () => undefined, touched: () => undefined },
      jobs,
      trust: { refusal: options.refusal ?? (() => undefined) },
      settings: () => ({ maxBatchSize: 32 }),
      pythonTests: fakePythonTests({ jobs, ...options.python }),
      t,
    },
    sessions,
    { get: (key) => memory.get(key), update: async (key, value) => void memory.set(key, structuredClone(value)) },
  );
  const ui: ModelHandlersPort["ui"] = {
    copy: async (text) => void copied.push(text),
    openText: async (path, at) => void openedTexts.push(at ? `${path}:${at.line}:${at.column}` : path),
    pickFiles: async () => options.pick?.(),
  };
  const command: ModelHandlersPort["command"] = async (name) => void commands.push(name);
  return {
    models,
    sessions,
    opened,
    copied,
    openedTexts,
    commands,
    unfetchable,
    handlers: ({ follow, by }) => ({
      ...noHandlers,
      ...contentHandlers({
        ref: () => models.contentOf(REF),
        jobs,
        ui: { copy: ui.copy, pickTarget: async () => undefined },
        t,
        progress: () => undefined,
      }),
      ...modelHandlers({ ref: () => REF, models, ui, t, command, by: () => by, follow }),
    }),
  };
}

/** A model whose files hold nothing that is listed. */
const noContent: ContentSummary = {
  format: "onnx",
  stamp: "1",
  bytes: 0,
  files: [],
  tensorCount: 0,
  parameters: 0,
  tensorBytes: 0,
  metadata: [],
  warnings: [],
};

const nothingFound: BrokenFacts = { files: [], moreFiles: 0, sizeBytes: 0 };

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
