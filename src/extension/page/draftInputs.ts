import { cellsToJson, draftFromJson, draftFromSpec, isDynamic } from "../../../webview/protocol/drafts";
import type { Draft, Drafts, Issue, MethodView, SpecView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { DType } from "../../formats/tensor";
import type { InputForm, InputValue } from "../../runner/protocol";
import { jsonDType } from "../../runner/pythonInputs";
import type { Localize } from "../services";

/** What an argument starts with where nobody has given an example: whatever is tried, it is JSON already. */
const FIRST_ARGUMENT = { 0: "[[0]]" };

/** What the drafts of a method become. */
export interface DraftReading {
  /** Answers with the path behind a picked file's handle. */
  readonly pathOf: (id: string) => string | undefined;
  /** What numbers become where nothing is declared. */
  readonly numbers: DType;
}

/**
 * Drafts for every input of a method: the example where it has one, else the plainest values that fit. The arguments of
 * an open method are those of the example, as JSON.
 */
export function startingDrafts(method: MethodView, example: Readonly<Record<string, string>>): Drafts {
  if (method.isOpen) return openDrafts(example);
  return Object.fromEntries(
    method.inputs.map((spec) => {
      const text = Object.hasOwn(example, spec.name) ? example[spec.name] : undefined;
      return [spec.name, text === undefined ? draftFromSpec(spec) : draftFromJson(spec, text)];
    }),
  );
}

function openDrafts(example: Readonly<Record<string, string>>): Drafts {
  const texts = Object.entries(Object.keys(example).length > 0 ? example : FIRST_ARGUMENT);
  return Object.fromEntries(
    texts.map(([name, text]) => {
      const draft = draftFromJson(openSpec(name, null), text);
      return [name, { ...draft, source: "json" }];
    }),
  );
}

/** What is known of an argument that nobody has declared. */
function openSpec(name: string, dtype: DType | null): SpecView {
  return { name, type: "tensor", dtype, shape: null };
}

/**
 * Kept drafts that still belong to the method, completed by starting ones for the inputs they lack. Of an open method
 * the user decides what the arguments are.
 */
export function mendDrafts(method: MethodView, kept: Drafts | undefined, starting: Drafts): Drafts {
  if (method.isOpen) return kept ?? starting;
  return Object.fromEntries(
    method.inputs.map(({ name }) => [name, kept?.[name] ?? starting[name]]).filter((pair) => pair[1] !== undefined),
  );
}

/** Inputs that are to come from a file which was never chosen, or whose path is forgotten. */
export function missingFiles(
  method: MethodView,
  drafts: Drafts,
  pathOf: (id: string) => string | undefined,
  t: Localize,
): Issue[] {
  const error = { code: "input.notFound", message: t("Choose a file first."), remedy: null, path: null };
  return argumentNames(method, drafts)
    .filter((name) => {
      const draft = drafts[name];
      return draft?.source === "file" && (draft.file === null || pathOf(draft.file.id) === undefined);
    })
    .map((input) => ({ input, error }));
}

function argumentNames(method: MethodView, drafts: Drafts): readonly string[] {
  return method.isOpen ? Object.keys(drafts) : method.inputs.map(({ name }) => name);
}

/**
 * What the runner is sent for each declared input, or for each argument of an open method.
 * @param leftOut inputs that are not sent, since their values are not there yet
 * @throws ModelbenchError `input.notFound` when an input has no draft or its file was never picked
 */
export function toInputs(
  method: MethodView,
  drafts: Drafts,
  reading: DraftReading,
  leftOut: readonly string[] = [],
): Record<string, InputValue> {
  const names = argumentNames(method, drafts).filter((name) => !leftOut.includes(name));
  return Object.fromEntries(
    names.map((name) => {
      const draft = drafts[name];
      if (!draft) throw new ModelbenchError("input.notFound", `${name}: no value is given.`);
      return [name, method.isOpen ? openInput(name, draft, reading) : declaredInput(method, name, draft, reading)];
    }),
  );
}

function declaredInput(method: MethodView, name: string, draft: Draft, reading: DraftReading): InputValue {
  const spec = method.inputs.find((input) => input.name === name) ?? openSpec(name, null);
  return toInput(spec, draft, reading, {});
}

/** @throws ModelbenchError `input.dtype` for a dtype that nothing can be made of */
function openInput(name: string, draft: Draft, reading: DraftReading): InputValue {
  const dtype = draft.dtype === "" ? undefined : jsonDType(draft.dtype);
  if (draft.dtype !== "" && dtype === undefined)
    throw new ModelbenchError("input.dtype", `${name}: there is no dtype ${JSON.stringify(draft.dtype)}.`);
  const { numbers } = reading;
  const form: InputForm = {
    ...(draft.as === "auto" ? {} : { as: draft.as }),
    ...(dtype === undefined ? {} : { dtype }),
    numbers,
  };
  return toInput(openSpec(name, dtype ?? numbers), draft, reading, { form });
}

function toInput(
  spec: SpecView,
  draft: Draft,
  { pathOf }: DraftReading,
  form: { readonly form?: InputForm },
): InputValue {
  if (draft.source === "form") return { kind: "text", text: cellsToJson(spec.dtype, draft.dims, draft.cells), ...form };
  if (draft.source === "json") return { kind: "text", text: draft.json, ...form };
  if (draft.source === "generate") {
    const free = spec.shape === null ? draft.dims : draft.dims.filter((_, axis) => isDynamic(spec, axis));
    return { kind: "generate", pattern: draft.pattern, seed: draft.seed, dims: free, ...form };
  }
  const path = draft.file ? pathOf(draft.file.id) : undefined;
  if (path === undefined) throw new ModelbenchError("input.notFound", `${spec.name}: no file is chosen.`);
  return { kind: "file", path, ...form };
}

/**
 * Findings by the input that shows them: of a position that an open method lacks they are told beside the next one.
 * What is said of inputs that are left out is not told.
 */
export function placedIssues(
  issues: readonly Issue[],
  { isOpen }: MethodView,
  inputs: Readonly<Record<string, InputValue>>,
  leftOut: readonly string[],
): Issue[] {
  return issues.flatMap((issue) => {
    if (Object.hasOwn(inputs, issue.input)) return [issue];
    if (!isOpen || leftOut.includes(issue.input)) return [];
    const next = Object.keys(inputs).find((name) => Number(name) > Number(issue.input));
    return next === undefined ? [] : [{ ...issue, input: next }];
  });
}
