import type { ComponentChildren, VNode } from "preact";
import { isDynamic } from "../protocol/drafts";
import type { Draft, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatBytes } from "./format";
import { FormGrid } from "./formGrid";
import { Button, Dropdown, TextArea, TextField } from "./kit";
import { showWhatCounts } from "./whatCounts";

/** Largest size that a dimension field takes; the runner has the last word on the whole. */
const MAX_DIM = 1_000_000;

const PATTERNS = ["zeros", "ones", "range", "uniform", "normal"] as const;

/** An input and what is entered for it. */
export interface SourceProps {
  readonly spec: SpecView;
  readonly draft: Draft;
}

/** Values as cells. */
export function FormSource({ spec, draft }: SourceProps): VNode {
  return (
    <div class="stack-small">
      <Dims spec={spec} draft={draft} />
      <FormGrid spec={spec} draft={draft} />
    </div>
  );
}

/** Values as JSON; `hint` says what becomes of it. */
export function JsonSource({ spec, draft, hint }: SourceProps & { readonly hint: string }): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <div class="stack-small">
      <TextArea
        testId={`json-${spec.name}`}
        label={t("input.jsonText", spec.name)}
        rows={Math.min(12, Math.max(3, draft.json.split("\n").length))}
        value={draft.json}
        invalid={test.troubled.value.has(spec.name)}
        onInput={(json) => test.edit(spec.name, { json })}
      />
      <p class="quiet">{hint}</p>
    </div>
  );
}

/** Values of a file that the host lets the user pick. */
export function FileSource({ spec, draft }: SourceProps): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <div class="row">
      <Button testId={`pick-${spec.name}`} onClick={() => void test.pickFile(spec.name)}>
        {t("input.pick")}
      </Button>
      {draft.file ? (
        <span data-testid={`file-${spec.name}`}>
          <code>{draft.file.name}</code> <span class="quiet">{formatBytes(draft.file.bytes)}</span>
        </span>
      ) : (
        <span class="quiet">{t("input.noFile")}</span>
      )}
    </div>
  );
}

/** Values that are made up; `children` ask for their shape. */
export function GenerateSource(props: SourceProps & { readonly children: ComponentChildren }): VNode {
  const { spec, draft, children } = props;
  const { test } = usePage();
  const t = useText();
  const isRandom = draft.pattern === "uniform" || draft.pattern === "normal";
  const setSeed = (text: string): void => {
    const seed = Number(text);
    if (text.trim() !== "" && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31) test.edit(spec.name, { seed });
  };
  const renew = (): void => test.edit(spec.name, { seed: Math.floor(Math.random() * 1_000_000) });
  return (
    <div class="stack-small">
      {children}
      <div class="row row-end">
        <div class="labelled">
          <span aria-hidden="true">{t("input.pattern")}</span>
          <Dropdown
            testId={`pattern-${spec.name}`}
            label={t("input.pattern")}
            options={PATTERNS.map((pattern) => ({ value: pattern, text: t(`pattern.${pattern}`) }))}
            value={draft.pattern}
            onChange={(chosen) => {
              const pattern = PATTERNS.find((known) => known === chosen);
              if (pattern) test.edit(spec.name, { pattern });
            }}
          />
        </div>
        {isRandom ? (
          <>
            <div class="listens" onFocusOut={showWhatCounts(draft.seed)}>
              <TextField
                testId={`seed-${spec.name}`}
                className="seed"
                label={t("input.seed")}
                value={String(draft.seed)}
                onInput={setSeed}
              />
            </div>
            <Button testId={`new-seed-${spec.name}`} onClick={renew}>
              {t("input.newSeed")}
            </Button>
          </>
        ) : null}
      </div>
      <p class="quiet">{t("input.generateHint")}</p>
    </div>
  );
}

/** One number field for each axis that takes any length. */
export function Dims({ spec, draft }: SourceProps): VNode | null {
  const { test } = usePage();
  const t = useText();
  const free = draft.dims.map((_, axis) => axis).filter((axis) => isDynamic(spec, axis));
  if (free.length === 0) return null;
  return (
    <fieldset class="row" aria-label={t("input.dims")}>
      {free.map((axis) => {
        const symbol = spec.shape?.[axis];
        const name = typeof symbol === "string" ? symbol : t("input.axis", axis);
        return (
          <label class="dim" key={axis} onFocusOut={showWhatCounts(draft.dims[axis] ?? 1)}>
            <span class="quiet code">{name}</span>
            <input
              type="number"
              min={1}
              max={MAX_DIM}
              value={draft.dims[axis] ?? 1}
              aria-label={t("input.dim", name, spec.name)}
              data-testid={`dim-${spec.name}-${axis}`}
              onInput={({ currentTarget }) => {
                const size = currentTarget.valueAsNumber;
                if (Number.isInteger(size) && size >= 1 && size <= MAX_DIM) test.setDim(spec.name, axis, size);
              }}
            />
          </label>
        );
      })}
    </fieldset>
  );
}
