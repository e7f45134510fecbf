import type { VNode } from "preact";
import { MAX_FORM_CELLS } from "../protocol/drafts";
import type { Draft } from "../protocol/views";
import { usePage, useText } from "./context";
import { focusSoon } from "./focusSoon";
import { Icon } from "./icons";
import { FileSource, FormSource, GenerateSource, JsonSource, type SourceProps } from "./inputSources";
import { argumentMessage, inputMessage } from "./issueSummary";
import { Button, Dropdown, Tabs, TextField } from "./kit";
import { type Argument, formOf, isPosition, specOf } from "./openArguments";

const KINDS = ["auto", "ndarray", "list", "dataframe"] as const;

/** Types that numbers in arrays and columns may get. */
const DTYPES = [
  "float64",
  "float32",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint64",
  "uint32",
  "uint16",
  "uint8",
  "bool",
  "complex64",
  "complex128",
  "string",
] as const;

/** The arguments of a method that declares none: each named and filled in, added and removed. */
export function ArgumentCards(): VNode {
  const { test } = usePage();
  const t = useText();
  const args = test.args.value;
  const add = (): void => {
    const id = test.addArgument();
    if (id !== undefined) focusSoon(`argument-${id}-name`);
  };
  const remove = (at: number): void => {
    const one = args[at];
    const next = args[at + 1] ?? args[at - 1];
    if (!one) return;
    test.removeArgument(one.id);
    focusSoon(...(next ? [`argument-${next.id}-name`] : []), "argument-add");
  };
  return (
    <>
      <p class="quiet">{args.length === 0 ? t("args.none") : t("args.hint")}</p>
      {args.map((one, at) => (
        <ArgumentCard key={one.id} one={one} number={at + 1} onRemove={() => remove(at)} />
      ))}
      <div>
        <Button testId="argument-add" onClick={add}>
          <span class="with-icon">
            <Icon name="add" />
            {t("args.add")}
          </span>
        </Button>
      </div>
    </>
  );
}

function ArgumentCard(props: {
  readonly one: Argument;
  readonly number: number;
  readonly onRemove: () => void;
}): VNode | null {
  const { one, number, onRemove } = props;
  const { test } = usePage();
  const t = useText();
  const draft = test.drafts.value?.drafts[one.key];
  if (!draft) return null;
  const id = `argument-${one.id}`;
  const wrong = argumentMessage(test, one, t);
  const isNameWrong = wrong !== "" && test.argumentFindings.value.get(one.id) !== "shape";
  const message = wrong === "" ? inputMessage(test, specOf(one.key, draft), t) : wrong;
  const name = one.name.trim();
  return (
    <section
      class={`card${message === "" ? "" : " card-invalid"}`}
      aria-label={`${t("args.which", number)} ${name}`.trim()}
      data-testid={id}
    >
      <header class="argument-head">
        <TextField
          testId={`${id}-name`}
          className="argument-name code"
          label={t("args.name", number)}
          hideLabel
          placeholder={t("args.nameHint")}
          value={one.name}
          invalid={isNameWrong}
          onInput={(text) => test.nameArgument(one.id, text)}
        />
        <span class="quiet argument-kind">
          {isNameWrong ? "" : isPosition(name) ? t("args.position") : t("args.keyword")}
        </span>
        <Button
          testId={`${id}-remove`}
          kind="icon"
          label={t("args.remove", name === "" ? number : name)}
          onClick={onRemove}
        >
          <Icon name="close" />
        </Button>
      </header>
      <ArgumentSources one={one} draft={draft} />
      {message === "" ? null : (
        <p class="field-error" role="alert" id={`input-${one.key}-error`} data-testid={`${id}-error`}>
          <Icon name="error" />
          {message}
        </p>
      )}
    </section>
  );
}

function ArgumentSources({ one, draft }: { readonly one: Argument; readonly draft: Draft }): VNode {
  const { test } = usePage();
  const t = useText();
  const spec = specOf(one.key, draft);
  const source: SourceProps = { spec, draft };
  const canForm = formOf(draft) !== undefined;
  const generate = (): VNode => (
    <GenerateSource {...source}>
      <TextField
        testId={`argument-${one.id}-shape`}
        className="argument-shape code"
        label={t("args.shape")}
        placeholder={t("args.shapeHint")}
        value={one.shape}
        invalid={test.argumentFindings.value.get(one.id) === "shape"}
        onInput={(text) => test.shapeArgument(one.key, text)}
      />
    </GenerateSource>
  );
  return (
    <>
      <Tabs
        name={`argument-${one.id}`}
        label={t("input.source", one.key)}
        active={draft.source}
        onChange={(next) => test.setSource(spec, next)}
        tabs={[
          {
            id: "json",
            text: t("input.json"),
            content: () => <JsonSource {...source} hint={t(`args.jsonHint.${draft.as}`)} />,
          },
          { id: "file", text: t("input.file"), content: () => <FileSource {...source} /> },
          {
            id: "form",
            text: t("input.form"),
            disabled: canForm ? undefined : t("args.noForm", MAX_FORM_CELLS),
            content: () => <FormSource {...source} />,
          },
          { id: "generate", text: t("input.generate"), content: generate },
        ]}
      />
      <Becomes one={one} draft={draft} />
    </>
  );
}

/** What the value becomes: a kind, and the type of its numbers. */
function Becomes({ one, draft }: { readonly one: Argument; readonly draft: Draft }): VNode {
  const { test } = usePage();
  const t = useText();
  // One that another page or an older version knew is shown, too.
  const dtypes =
    draft.dtype === "" || DTYPES.some((known) => known === draft.dtype) ? DTYPES : [draft.dtype, ...DTYPES];
  const isGenerated = draft.source === "generate";
  return (
    <div class="row becomes">
      {isGenerated ? null : (
        <div class="dim">
          <span class="quiet" aria-hidden="true">
            {t("args.as")}
          </span>
          <Dropdown
            testId={`argument-${one.id}-as`}
            label={t("args.as")}
            options={KINDS.map((kind) => ({ value: kind, text: t(`args.as.${kind}`) }))}
            value={draft.as}
            onChange={(chosen) => {
              const as = KINDS.find((known) => known === chosen);
              if (as) test.edit(one.key, { as });
            }}
          />
        </div>
      )}
      {draft.as === "list" && !isGenerated ? null : (
        <div class="dim">
          <span class="quiet" aria-hidden="true">
            {t("args.dtype")}
          </span>
          <Dropdown
            testId={`argument-${one.id}-dtype`}
            label={t("args.dtype")}
            options={[
              { value: "", text: t("args.dtype.default") },
              ...dtypes.map((dtype) => ({ value: dtype, text: dtype })),
            ]}
            value={draft.dtype}
            onChange={(dtype) => test.edit(one.key, { dtype })}
          />
        </div>
      )}
    </div>
  );
}
