import { type ErrorCode, ModelbenchError } from "../../base/errors";
import { describeOnnxFile } from "./describe";

interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** The sentence; the pattern's groups are handed in. */
  readonly say: (...groups: string[]) => string;
  readonly remedy?: string;
}

// Texts of ONNX Runtime 1.30; what fits no rule is passed on as it is.
const LOAD_RULES: readonly Rule[] = [
  {
    pattern: /Fatal error: (\S+?)\(-?\d+\) is not a registered function\/op/,
    code: "run.unsupported",
    say: (op) => `uses the operator ${op}, which the bundled runtime does not have`,
    remedy: "Export the model with standard operators; custom operator libraries are never loaded.",
  },
  {
    pattern: /No opset import for domain '?([^'\s]*)/,
    code: "run.unsupported",
    say: (domain) => `uses operators of the domain ${domain} without naming a version of it`,
  },
  {
    pattern: /Could not find an implementation for (\w+)\(\d+\)/,
    code: "run.unsupported",
    say: (op) => `uses ${op} with a type that the bundled runtime has no implementation for`,
    remedy: "Export the model with float32 weights and inputs.",
  },
  {
    pattern: /Opset (\d+) is under development.*official support for domain (\S+) is till opset (\d+)/s,
    code: "run.unsupported",
    say: (opset, domain, newest) => `needs opset ${opset} of ${domain}; the bundled runtime knows up to ${newest}`,
    remedy: "Export the model with an older opset.",
  },
  {
    pattern: /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    code: "run.unsupported",
    say: (version, newest) => `has IR version ${version}; the bundled runtime knows up to ${newest}`,
    remedy: "Export the model with an older IR version.",
  },
  {
    pattern: /[Ee]xternal data/,
    code: "onnx.external",
    say: () => "has external data that the runtime cannot reach",
    remedy: "Put the data files beside the model, as it names them.",
  },
  {
    pattern: /Protobuf parsing failed|protobuf parsing failed|does not have a graph|No graph was found/,
    code: "format.corrupt",
    say: () => "is not a whole ONNX model",
  },
  {
    pattern: /bad_alloc|Failed to allocate memory|buffer allocation/i,
    code: "run.failed",
    say: () => "does not fit into memory",
    remedy: "Free memory, or use a smaller model.",
  },
];

/** What the sentences call the runtime. */
const BUNDLED = "the bundled runtime";

const RUN_RULES: readonly Rule[] = [
  {
    pattern: /bad_alloc|Failed to allocate memory|Invalid array length|Array buffer allocation failed/i,
    code: "run.failed",
    say: () => "The run needs more memory than there is.",
    remedy: "Send fewer rows at once.",
  },
  {
    pattern: /input '(.*)' is missing in 'feeds'/,
    code: "input.notFound",
    say: (name) => `Input "${name}" is missing.`,
  },
  {
    pattern: /Invalid rank for input: (.*) Got: (\d+) Expected: (\d+)/,
    code: "input.shape",
    say: (name, got, wanted) => `Input "${name}" has ${got} dimensions; ${wanted} were expected.`,
  },
  {
    pattern:
      /Got invalid dimensions for input: (\S+) for the following indices\s+index: (\d+) Got: (\d+) Expected: (\d+)/,
    code: "input.shape",
    say: (name, axis, got, wanted) => `Input "${name}" has ${got} in dimension ${axis}; ${wanted} was expected.`,
  },
  {
    pattern: /Unexpected input data type. Actual: \(tensor\((\w+)\)\) , expected: \(tensor\((\w+)\)\)/,
    code: "input.dtype",
    say: (got, wanted) => `An input is ${got}; ${wanted} was expected.`,
  },
  {
    pattern: /Non-zero status code returned while running (\w+) node. Name:'([^']*)' Status Message:\s*(.*)/s,
    code: "run.failed",
    say: (op, node, text) => `The operator ${op}${node ? ` (node ${node})` : ""} failed: ${withoutSource(text)}`,
    remedy: "Look at the shapes and values of the inputs; the model itself decides which ones it takes.",
  },
];

/** What a failure to open `file` means, with what to do about it; `runtime` names what opened it. */
export function explainLoadFailure(file: string, cause: unknown, runtime = BUNDLED): ModelbenchError {
  const text = textOf(cause);
  if (/^Unsupported data type: \d+$/.test(text)) return unsupportedValue(file, cause);
  const found = explain(LOAD_RULES, text);
  const details = { path: file, cause, remedy: found?.rule.remedy };
  if (!found)
    return new ModelbenchError("run.failed", `${file}: the runtime refuses the model: ${withoutSource(text)}`, details);
  return new ModelbenchError(found.rule.code, `${file}: ${found.sentence.replace(BUNDLED, runtime)}.`, details);
}

/** What a failure in the middle of a run means. */
export function explainRunFailure(cause: unknown): ModelbenchError {
  const text = textOf(cause);
  const found = explain(RUN_RULES, text);
  if (!found) return new ModelbenchError("run.failed", `The runtime failed: ${withoutSource(text)}`, { cause });
  return new ModelbenchError(found.rule.code, found.sentence, { cause, remedy: found.rule.remedy });
}

const RUNTIME_TYPES = /^(bool|u?int(4|8|16|32|64)|float(16|32|64)|string)$/;

/** The runtime names a number only; our own header knows which input or output it is. */
function unsupportedValue(file: string, cause: unknown): ModelbenchError {
  const { inputs = [], outputs = [] } = describeOnnxFile(file).signatures?.["run"] ?? {};
  const strange = [...inputs, ...outputs].find(
    ({ type, dtype }) => type === "tensor" && !RUNTIME_TYPES.test(dtype ?? ""),
  );
  const what = strange
    ? `"${strange.name}" has the type ${strange.dtype ?? "unknown"}`
    : "an input or output has a type";
  return new ModelbenchError(
    "run.unsupported",
    `${file}: ${what}, which the bundled runtime neither takes nor gives.`,
    {
      path: file,
      cause,
      remedy: "Export the model with float32 or float16 inputs and outputs; the weights inside may stay as they are.",
    },
  );
}

function explain(rules: readonly Rule[], text: string): { rule: Rule; sentence: string } | undefined {
  for (const rule of rules) {
    const groups = rule.pattern.exec(text);
    if (groups) return { rule, sentence: rule.say(...groups.slice(1)) };
  }
  return undefined;
}

/** Without the C++ file, line and signature that the runtime puts first. */
function withoutSource(text: string): string {
  const cut = text.replace(/^\S*\/onnxruntime\S*\.(cc|h):\d+ .*?\)(?: const)? /s, "").trim();
  return cut === "" ? text : cut;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
