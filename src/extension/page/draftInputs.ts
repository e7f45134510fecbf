import { cellsToJson, draftFromJson, draftFromSpec, isDynamic } from "../../../webview/protocol/drafts";
import type { Draft, Drafts, Issue, MethodView, SpecView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { InputValue } from "../../runner/protocol";
import type { Localize } from "../services";

/** Drafts for every input of a method: the example where it has one, else the plainest values that fit. */
export function startingDrafts(method: MethodView, example: Readonly<Record<string, string>>): Drafts {
  return Object.fromEntries(
    method.inputs.map((spec) => {
      const text = Object.hasOwn(example, spec.name) ? example[spec.name] : undefined;
      return [spec.name, text === undefined ? draftFromSpec(spec) : draftFromJson(spec, text)];
    }),
  );
}

/** Kept drafts that still belong to the method, completed by starting ones for the inputs they lack. */
export function mendDrafts(method: MethodView, kept: Drafts | undefined, starting: Drafts): Drafts {
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
  return method.inputs
    .filter(({ name }) => {
      const draft = drafts[name];
      return draft?.source === "file" && (draft.file === null || pathOf(draft.file.id) === undefined);
    })
    .map(({ name }) => ({ input: name, error }));
}

/**
 * What the runner is sent for each declared input.
 * @param pathOf answers with the path behind a picked file's handle
 * @throws ModelbenchError `input.notFound` when an input has no draft or its file was never picked
 */
export function toInputs(
  method: MethodView,
  drafts: Drafts,
  pathOf: (id: string) => string | undefined,
): Record<string, InputValue> {
  return Object.fromEntries(
    method.inputs.map((spec) => {
      const draft = drafts[spec.name];
      if (!draft) throw new ModelbenchError("input.notFound", `${spec.name}: no value is given.`);
      return [spec.name, toInput(spec, draft, pathOf)];
    }),
  );
}

function toInput(spec: SpecView, draft: Draft, pathOf: (id: string) => string | undefined): InputValue {
  if (draft.source === "form") return { kind: "text", text: cellsToJson(spec.dtype, draft.dims, draft.cells) };
  if (draft.source === "json") return { kind: "text", text: draft.json };
  if (draft.source === "generate") {
    const free = spec.shape === null ? draft.dims : draft.dims.filter((_, axis) => isDynamic(spec, axis));
    return { kind: "generate", pattern: draft.pattern, seed: draft.seed, dims: free };
  }
  const path = draft.file ? pathOf(draft.file.id) : undefined;
  if (path === undefined) throw new ModelbenchError("input.notFound", `${spec.name}: no file is chosen.`);
  return { kind: "file", path };
}
