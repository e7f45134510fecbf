import { type ErrorCode, ModelbenchError } from "../../base/errors";
import { YamlFloat, type YamlValue } from "../../formats/pyYaml";
import { type OnnxDevice, readProviders } from "./providers";

/** How far the runtime may rewrite a graph before it runs it; results may differ in their last digits. */
export type GraphOptimization = "disabled" | "basic" | "extended" | "all";

/** How a model is opened in ONNX Runtime. Plain data, so that it fits a frame header. */
export interface OnnxSettings {
  readonly graphOptimization: GraphOptimization;
  /** Whether independent parts of the graph run one after the other. */
  readonly executionMode: "sequential" | "parallel";
  /** Threads inside one operator, of each session; left out = by the processors there are, see `threadsOf`. */
  readonly intraOpThreads?: number;
  /** Threads across operators, where the execution mode is `parallel`; left out as above. */
  readonly interOpThreads?: number;
  /** Runs at once. Each beyond the first costs the model's memory again: it is a session of its own. */
  readonly concurrency: number;
  /** Devices that the model itself asks for, in order; tried where the device is `auto`. */
  readonly providers?: readonly OnnxDevice[];
  /** What the model asks for and does not get, one sentence each. */
  readonly remarks?: readonly string[];
}

/** What a session is opened with where nobody says otherwise. */
export const DEFAULT_SETTINGS: OnnxSettings = {
  graphOptimization: "all",
  executionMode: "sequential",
  concurrency: 1,
};

/** More threads than any machine has; beyond it the runtime would only fail later, without naming the setting. */
const MAX_THREADS = 256;

/** Each run at once is a session with the weights in memory once more, and a thread. */
const MAX_CONCURRENCY = 16;

/** One setting: its word for the user, its name in `session_options` of model.yaml, and how a value is read. */
interface Field {
  readonly key: "graphOptimization" | "executionMode" | "intraOpThreads" | "interOpThreads" | "concurrency";
  readonly word: string;
  readonly option: string;
  readonly allowed: string;
  /** `undefined` for a value that is not allowed; model.yaml (`option`) may also have the runtime's own names. */
  readonly read: (value: unknown, by: "word" | "option") => string | number | undefined;
}

const FIELDS: readonly Field[] = [
  {
    key: "graphOptimization",
    word: "graph-optimization",
    option: "graph_optimization_level",
    allowed: "disabled, basic, extended or all",
    read: named(["disabled", "basic", "extended", "all"], {
      ORT_DISABLE_ALL: "disabled",
      ORT_ENABLE_BASIC: "basic",
      ORT_ENABLE_EXTENDED: "extended",
      ORT_ENABLE_ALL: "all",
      "0": "disabled",
      "1": "basic",
      "2": "extended",
      "99": "all",
    }),
  },
  {
    key: "executionMode",
    word: "execution-mode",
    option: "execution_mode",
    allowed: "sequential or parallel",
    read: named(["sequential", "parallel"], {
      ORT_SEQUENTIAL: "sequential",
      ORT_PARALLEL: "parallel",
      "0": "sequential",
      "1": "parallel",
    }),
  },
  threads("intraOpThreads", "intra-op-threads", "intra_op_num_threads"),
  threads("interOpThreads", "inter-op-threads", "inter_op_num_threads"),
  {
    key: "concurrency",
    word: "concurrency",
    option: "concurrency",
    allowed: `a whole number from 1 to ${MAX_CONCURRENCY}`,
    read: (value) => wholeNumber(value, 1, MAX_CONCURRENCY),
  },
];

/** The words that `onnxSettings` takes from a caller: names of command-line options and of form fields. */
export const SETTING_WORDS: readonly string[] = FIELDS.map(({ word }) => word);

/**
 * The settings of one model: what the caller gives, else what `options` of its model.yaml say, else the defaults.
 *
 * `options` is the mapping as `bentoml.onnx` writes it. Its `providers` become `providers` here: a list of names like
 * `CUDAExecutionProvider`, each alone or first in a pair with options, which are not used. Its `session_options` take
 * the names and values of `onnxruntime.SessionOptions`: `graph_optimization_level`, `execution_mode` (by name or
 * number), `intra_op_num_threads`, `inter_op_num_threads` (0 = the default), and `concurrency` of our own. BentoML
 * itself writes `null` for both. `input_specs` and `output_specs` say nothing about a session.
 * @param given by the words of `SETTING_WORDS`
 * @throws ModelbenchError `usage` for a word or value of the caller, `model.broken` for one of model.yaml
 * @see bentoml/_internal/frameworks/onnx.py `ModelOptions`, 1.4.39
 */
export function onnxSettings(
  given: Readonly<Record<string, string>>,
  options: ReadonlyMap<unknown, YamlValue> | undefined,
): OnnxSettings {
  const fromCaller = readAll(Object.entries(given), "word", "usage", (word) => `\`${word}\``);
  const stored = sessionOptions(options?.get("session_options"));
  const fromModel = readAll(stored, "option", "model.broken", (name) => `\`session_options.${name}\` of model.yaml`);
  const { providers, remarks } = readProviders(options?.get("providers"));
  const { intraOpThreads = 0, interOpThreads = 0, ...rest } = { ...DEFAULT_SETTINGS, ...fromModel, ...fromCaller };
  return {
    ...rest,
    ...(intraOpThreads === 0 ? {} : { intraOpThreads }),
    ...(interOpThreads === 0 ? {} : { interOpThreads }),
    ...(providers.length === 0 ? {} : { providers }),
    ...(remarks.length === 0 ? {} : { remarks }),
  };
}

/** Thread counts to open each session with; a count left out is the runtime's own choice. */
export interface SessionThreads {
  readonly intraOpThreads?: number;
  readonly interOpThreads?: number;
}

/**
 * The threads of one session. Where nobody names a number and all processors of the machine are there for one
 * session, the runtime chooses: it takes one thread a core and ties each to its own. It knows nothing of quotas and of
 * processors that are not allowed, though, so elsewhere each session gets its share of `cpus`.
 * @param cpus threads that can run at once in this process, from `cpuCount`
 * @param processors all that the machine has
 */
export function threadsOf(settings: OnnxSettings, cpus: number, processors: number): SessionThreads {
  const { concurrency, executionMode } = settings;
  const isWhole = concurrency === 1 && cpus >= processors;
  const share = isWhole ? undefined : Math.max(1, Math.floor(cpus / concurrency));
  const intraOpThreads = settings.intraOpThreads ?? share;
  const interOpThreads = executionMode === "parallel" ? (settings.interOpThreads ?? share) : undefined;
  return {
    ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
    ...(interOpThreads === undefined ? {} : { interOpThreads }),
  };
}

function sessionOptions(value: YamlValue | undefined): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (!(value instanceof Map)) {
    throw new ModelbenchError("model.broken", "`session_options` of model.yaml is no mapping.", {
      remedy: `It may hold ${listed(FIELDS.map(({ option }) => option))}.`,
    });
  }
  return [...value].map(([name, item]) => [String(name), item]);
}

function readAll(
  entries: readonly (readonly [string, unknown])[],
  by: "word" | "option",
  code: ErrorCode,
  nameOf: (name: string) => string,
): Partial<OnnxSettings> {
  const read = entries.map(([name, value]) => {
    const field = FIELDS.find((one) => one[by] === name);
    if (field === undefined) {
      const known = listed(FIELDS.map((one) => one[by]));
      throw new ModelbenchError(code, `There is no setting ${nameOf(name)}.`, { remedy: `There are ${known}.` });
    }
    const result = field.read(value, by);
    if (result !== undefined) return [field.key, result] as const;
    const shown = isScalar(value) ? ` "${value instanceof YamlFloat ? value.value : value}"` : " a value";
    const message = `${nameOf(name)} has${shown}, and takes ${field.allowed}.`;
    throw new ModelbenchError(code, message);
  });
  // Every field's `read` answers with what its key holds.
  return Object.fromEntries(read) as Partial<OnnxSettings>;
}

function isScalar(value: unknown): boolean {
  return value === null || value instanceof YamlFloat || typeof value !== "object";
}

function named(values: readonly string[], others: Readonly<Record<string, string>>): Field["read"] {
  return (value, by) => {
    if (typeof value === "string" && values.includes(value)) return value;
    const isOther = by === "option" && (typeof value === "number" || /^ORT_/.test(String(value)));
    return isOther && Object.hasOwn(others, String(value)) ? others[String(value)] : undefined;
  };
}

function threads(key: "intraOpThreads" | "interOpThreads", word: string, option: string): Field {
  return {
    key,
    word,
    option,
    allowed: `a whole number from 1 to ${MAX_THREADS}, or 0 for as many as suit the machine`,
    read: (value) => wholeNumber(value, 0, MAX_THREADS),
  };
}

function wholeNumber(value: unknown, least: number, most: number): number | undefined {
  const isNumber = typeof value === "number" || (typeof value === "string" && /^[0-9]{1,9}$/.test(value));
  const number = isNumber ? Number(value) : Number.NaN;
  return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}

/** `a, b and c`. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
