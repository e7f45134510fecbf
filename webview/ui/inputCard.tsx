import type { VNode } from "preact";
import type { SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatShape } from "./format";
import { Icon } from "./icons";
import { Dims, FileSource, FormSource, GenerateSource, JsonSource } from "./inputSources";
import { inputMessage } from "./issueSummary";
import { Tabs } from "./kit";

/** One declared input: what it must look like, and the ways to give it values. */
export function InputCard({ spec }: { readonly spec: SpecView }): VNode | null {
  const { test } = usePage();
  const t = useText();
  const draft = test.drafts.value?.drafts[spec.name];
  if (!draft) return null;
  const message = inputMessage(test, spec, t);
  const id = `input-${spec.name}`;
  const source = { spec, draft };
  const generate = (): VNode => (
    <GenerateSource {...source}>
      <Dims {...source} />
    </GenerateSource>
  );
  return (
    <section class={`card${message === "" ? "" : " card-invalid"}`} aria-label={spec.name} data-testid={id}>
      <header class="card-head">
        <h3 class="code">{spec.name}</h3>
        <span class="quiet code">
          {spec.dtype ?? spec.type} {spec.shape === null ? t("shape.unknown") : formatShape(spec.shape)}
        </span>
      </header>
      {spec.type === "tensor" ? (
        <Tabs
          name={id}
          label={t("input.source", spec.name)}
          active={draft.source}
          onChange={(next) => test.setSource(spec, next)}
          tabs={[
            { id: "form", text: t("input.form"), content: () => <FormSource {...source} /> },
            { id: "json", text: t("input.json"), content: () => <JsonSource {...source} hint={t("input.jsonHint")} /> },
            { id: "file", text: t("input.file"), content: () => <FileSource {...source} /> },
            { id: "generate", text: t("input.generate"), content: generate },
          ]}
        />
      ) : (
        <p>{t("input.notTensor", spec.name, spec.type)}</p>
      )}
      {message === "" ? null : (
        <p class="field-error" id={`${id}-error`} data-testid={`${id}-error`}>
          <Icon name="error" />
          {message}
        </p>
      )}
    </section>
  );
}
