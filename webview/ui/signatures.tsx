import type { VNode } from "preact";
import type { MethodView, ModelView, SpecView } from "../protocol/views";
import { useText } from "./context";
import { formatShape } from "./format";

/** What each method takes and gives. */
export function Signatures({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  const { methods } = model;
  if (methods.length === 0) {
    return (
      <div class="empty" data-testid="no-signatures">
        <p class="empty-title">{model.broken ? t("sig.unknown") : t("sig.none")}</p>
        {model.broken ? null : <p>{t("sig.noneHint")}</p>}
      </div>
    );
  }
  return (
    <div class="stack">
      {methods.map((method) => (
        <Method method={method} key={method.name} />
      ))}
    </div>
  );
}

function Method({ method }: { readonly method: MethodView }): VNode {
  const t = useText();
  const [batchIn, batchOut] = method.batchDim;
  return (
    <section class="block" data-testid={`signature-${method.name}`}>
      <h2 class="code">{method.name}</h2>
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
