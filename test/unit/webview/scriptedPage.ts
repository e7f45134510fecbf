import { noHandlers } from "../../../src/extension/page/noHandlers";
import type { HostRequests } from "../../../webview/protocol/messages";
import type {
  ConsentView,
  Draft,
  Drafts,
  EngineView,
  Issue,
  OutputView,
  PlainValue,
  PythonView,
  Reply,
  TestView,
} from "../../../webview/protocol/views";
import { openMethod } from "../../fixtures/openMethod";
import type { PageRig, RigOptions } from "./pageRig";
import { openScripted } from "./pageScreens";

const TAG = "petals:v3";

/** A model of scikit-learn before anything was decided or run. */
export const pythonTest: TestView = {
  tag: TAG,
  phase: "idle",
  error: null,
  refusal: null,
  python: null,
  consent: null,
  engine: { device: "cpu", devices: [{ value: "cpu", text: "CPU" }], settings: [], fallbacks: [], loaded: [] },
  methods: [openMethod],
  classes: ["setosa", "versicolor", "virginica"],
  copies: 0,
  replies: [],
  repliesMethod: "predict",
  history: [],
};

/** A Python that has what the model needs. */
export const somePython: PythonView = {
  interpreter: "/home/me/projects/petals/.venv/bin/python",
  by: ".venv of this folder",
  lacking: [],
  command: "",
  problem: null,
};

/** A foreign model whose code has not been allowed. */
export const someConsent: ConsentView = {
  state: "needed",
  digest: "1f0c77ab52d4e8930b6a41c5d2f7e6a890b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5",
  origin: "imported from /home/me/Downloads/petals-v3.bentomodel",
  verdict: "Imports we do not know (3)",
  imports: [
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "joblib.numpy_pickle.NumpyArrayWrapper",
    "petals.features.Scaler",
    "petals.features.Clip",
  ],
  moreImports: 4,
  paths: ["/home/me/projects/petals", "/home/me/projects/petals/src"],
  isIsolated: true,
  isolation: "Runs in a sandbox of bubblewrap: no network, an empty home folder, the store read-only.",
};

/** What may be chosen for an ONNX model. */
export const someEngine: EngineView = {
  device: "auto",
  devices: [
    { value: "cpu", text: "CPU" },
    { value: "auto", text: "automatic" },
    { value: "python:cuda", text: "CUDA (your Python)" },
  ],
  settings: [
    { word: "threads", text: "Threads in an operator", value: "4", placeholder: "one a core", choices: null },
    { word: "concurrency", text: "Runs at a time", value: "", placeholder: "1", choices: null },
    {
      word: "optimization",
      text: "Graph optimization",
      value: "",
      placeholder: "all",
      choices: [
        { value: "none", text: "none" },
        { value: "basic", text: "basic" },
      ],
    },
  ],
  fallbacks: ["CUDA is not used: the bundled runtime has no CUDA; Select Device offers your own Python's."],
  loaded: [
    { key: "Device", value: "cpu" },
    { key: "Python", value: "3.11.7, /home/me/projects/petals/.venv/bin/python" },
    { key: "Isolation", value: "sandbox of bubblewrap" },
    { key: "scikit-learn", value: "1.7.2" },
  ],
};

/** A draft of JSON. */
export function jsonDraft(json: string, patch: Partial<Draft> = {}): Draft {
  const rest = { file: null, pattern: "normal", seed: 42, as: "auto", dtype: "" } as const;
  return { ...rest, source: "json", dims: [], cells: [], json, ...patch };
}

/** An answer with its times. */
export function reply(patch: Partial<Reply> = {}): Reply {
  return {
    error: null,
    outputs: [],
    unfetchable: [],
    loadMs: 0,
    queueMs: 0.2,
    batchMs: 0.1,
    runMs: 2.6,
    batchId: 1,
    batchSize: 1,
    batchRequests: 1,
    batches: 1,
    device: "cpu",
    ...patch,
  };
}

/** An output that is no array. */
export function plainOutput(name: string, plain: PlainValue): OutputView {
  return { name, dtype: "string", shape: [], values: [], pageable: false, plain };
}

/** A page whose host answers as it is told, and writes down what it was asked. */
export interface ScriptedPage extends AsyncDisposable {
  readonly rig: PageRig;
  readonly page: PageRig["page"];
  /** What the page asked about the test but its first question, in order. */
  readonly asked: { readonly name: string; readonly params: unknown }[];
  /** The drafts that the page sent last. */
  drafts(): Drafts;
  /** Tells the page the state anew. */
  show(patch: Partial<TestView>): void;
}

/** What a host is told to answer. */
export interface Script extends Partial<RigOptions> {
  /** What is wrong with drafts. */
  readonly issues?: (drafts: Drafts) => Issue[];
  /** Rows of an output from this one on. */
  readonly readRows?: (start: number) => OutputView;
}

/** Opens the test of a model with this state and these drafts. */
export async function openScript(
  state: Partial<TestView>,
  drafts: Drafts,
  { issues = () => [], readRows, ...options }: Script = {},
): Promise<ScriptedPage> {
  let view: TestView = { ...pythonTest, ...state };
  let last = drafts;
  const asked: { name: string; params: unknown }[] = [];
  const note = async <K extends keyof HostRequests>(name: K, params: HostRequests[K][0]): Promise<null> => {
    asked.push({ name, params });
    return null;
  };
  const example = { tag: TAG, method: "predict", drafts };
  const rig = await openScripted(
    TAG,
    {
      ...noHandlers,
      "test/snapshot": async () => ({ test: view, drafts: { tag: TAG, method: view.methods[0]?.name ?? "", drafts } }),
      "test/draft": async (params) => {
        last = params.drafts;
        return note("test/draft", params);
      },
      "test/validate": async (params) => ({ issues: issues(params.drafts) }),
      "test/example": async () => example,
      "test/run": async (params) => {
        last = params.state.drafts;
        await note("test/run", params);
        return { issues: issues(params.state.drafts) };
      },
      "test/rows": async ({ start }) => readRows?.(start) ?? Promise.reject(new Error("gone")),
      "test/allow": (params) => note("test/allow", params),
      "test/revoke": (params) => note("test/revoke", params),
      "test/interpreter": (params) => note("test/interpreter", params),
      "test/engine": (params) => note("test/engine", params),
      "text/copy": (params) => note("text/copy", params),
    },
    options,
  );
  return {
    rig,
    page: rig.page,
    asked,
    drafts: () => last,
    show: (patch) => {
      view = { ...view, ...patch };
      rig.peer.send("test/state", view);
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}
