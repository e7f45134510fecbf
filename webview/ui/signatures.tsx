import type { VNode } from "preact";
import type { MethodView, ModelView, SpecView } from "../protocol/views";
import { useText } from "./context";
import { EditBlock } from "./editBlock";
import { formatShape } from "./format";
import { MethodsForm } from "./parts";

/** What each method takes and gives, and how model.yaml says it batches. */
export function Signatures({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  if (model.unread) return <Nothing model={model} />;
  const methods = [...model.methods, ...undescribed(model)];
  return (
    <EditBlock
      model={model}
      part="signatures"
      title={t("save.methods")}
      action={t("edit.signatures")}
      form={(form) => <MethodsForm {...form} />}
    >
      {methods.length === 0 ? (
        <Nothing model={model} />
      ) : (
        <div class="stack">
          {methods.map((method) => (
            <Method method={method} key={method.name} />
          ))}
        </div>
      )}
    </EditBlock>
  );
}

function Nothing({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  return (
    <div class="empty" data-testid="no-signatures">
      <p class="empty-title">{model.broken ? t("sig.unknown") : t("sig.none")}</p>
      {model.broken ? null : <p>{t("sig.noneHint")}</p>}
    </div>
  );
}

/** Methods that model.yaml lists and no file of the model describes. */
function undescribed({ declared, methods }: ModelView): MethodView[] {
  const known = new Set(methods.map(({ name }) => name));
  return declared
    .filter(({ name }) => !known.has(name))
    .map((method) => ({ ...method, inputs: [], outputs: [], source: "model.yaml", isOpen: false }));
}

function Method({ method }: { readonly method: MethodView }): VNode {
  const t = useText();
  const [batchIn, batchOut] = method.batchDim;
  return (
    <section class="block" data-testid={`signature-${method.name}`}>
      <h3 class="code">{method.name}</h3>
      <p class="quiet">
        {method.batchable ? t("sig.batchable", batchIn, batchOut) : t("sig.notBatchable")} ·{" "}
        {t("sig.source", method.source === "onnx" ? "ONNX" : method.source)}
      </p>
      {method.inputs.length + method.outputs.length === 0 ? (
        <p>{t("sig.undeclared")}</p>
      ) : (
        <div class="sides">
          <Side title={t("sig.inputs")} specs={method.inputs} />
          <Side title={t("sig.outputs")} specs={method.outputs} />
        </div>
      )}
    </section>
  );
}

function Side({ title, specs }: { readonly title: string; readonly specs: readonly SpecView[] }): VNode {
  const t = useText();
  return (
    <table class="table">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">{t("table.name")}</th>
          <th scope="col">{t("sig.dtype")}</th>
          <th scope="col">{t("sig.shape")}</th>
        </tr>
      </thead>
      <tbody>
        {specs.length === 0 ? (
          <tr>
            <td colSpan={3} class="quiet">
              {t("sig.noValues")}
            </td>
          </tr>
        ) : null}
        {specs.map((spec) => (
          <tr key={spec.name}>
            <td class="code">{spec.name}</td>
            <td class="code">{spec.type === "tensor" ? spec.dtype : spec.type}</td>
            <td class="code">{spec.shape === null ? t("shape.unknown") : formatShape(spec.shape)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
