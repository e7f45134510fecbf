import type { ComponentChildren, VNode } from "preact";
import type { MethodView, ModelView, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import { CustomObjects } from "./customObjects";
import { FilesBlock } from "./filesBlock";
import { formatAge, formatBytes, formatMoment, formatShape } from "./format";
import { MadeFrom, PartialArguments, Versions } from "./madeBlocks";
import { type Pair, Pairs } from "./pairs";
import { Metadata, Notes } from "./parts";
import type { Translate } from "./texts";

/** What model.yaml and the file's header say about a model. */
export function Overview({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  if (model.unread) {
    return (
      <div class="overview">
        <FilesBlock model={model} />
        <Block title={t("overview.about")}>
          <Pairs rows={[{ key: t("overview.folder"), value: model.path }]} empty="" testId="about" />
        </Block>
      </div>
    );
  }
  return (
    <div class="overview">
      <div class="overview-column">
        <Notes model={model} />
        {model.methods.length === 0 ? null : (
          <Block title={t("section.signatures")}>
            <Methods methods={model.methods} />
          </Block>
        )}
        <Block title={t("overview.about")}>
          <About model={model} />
        </Block>
        <Metadata model={model} />
        <PartialArguments model={model} />
        <CustomObjects model={model} />
        {model.onnx ? (
          <Block title={t("overview.onnx")}>
            <Onnx onnx={model.onnx} />
          </Block>
        ) : null}
      </div>
      <div class="overview-column">
        <FilesBlock model={model} />
        <MadeFrom model={model} />
        <Versions versions={model.versions} />
        <Block title={t("overview.context")}>
          <Pairs rows={model.context} empty={t("overview.noContext")} testId="context" />
        </Block>
        <Block title={t("overview.options")}>
          <Pairs rows={model.options} empty={t("overview.noOptions")} testId="options" />
        </Block>
      </div>
    </div>
  );
}

/** A part of a page under a heading. */
export function Block({ title, children }: { readonly title: string; readonly children: ComponentChildren }): VNode {
  return (
    <section class="block">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What each method takes and gives, a line each; the Signatures section has it at length. */
export function Methods({ methods }: { readonly methods: readonly MethodView[] }): VNode {
  const t = useText();
  const shapeOf = ({ shape }: SpecView): string => (shape === null ? t("shape.unknown") : formatShape(shape));
  const line = (spec: SpecView): string =>
    `${spec.name}: ${spec.type === "tensor" ? `${spec.dtype ?? "?"} ${shapeOf(spec)}` : spec.type}`;
  return (
    <dl class="pairs" data-testid="methods">
      {methods.map(({ name, inputs, outputs }) => (
        <div class="pair" key={name}>
          <dt class="code">{name}</dt>
          {inputs.length + outputs.length === 0 ? (
            <dd class="quiet">{t("sig.undeclared")}</dd>
          ) : (
            <dd class="code">
              {inputs.map(line).join("\n")}
              {"\n→ "}
              {outputs.map(line).join("\n→ ")}
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

function About({ model }: { readonly model: ModelView }): VNode {
  const { locale } = usePage();
  const t = useText();
  const { createdMs } = model;
  const age = createdMs === null ? "" : formatAge(locale.value, createdMs, Date.now());
  const saved =
    createdMs === null
      ? []
      : [
          {
            key: t("overview.saved"),
            value: `${formatMoment(locale.value, createdMs)} (${age})`,
            title: new Date(createdMs).toISOString(),
          },
        ];
  const rows = [
    ...(model.module === "" ? [] : [{ key: t("overview.module"), value: model.module }]),
    ...saved,
    ...originRows(model, locale.value, t),
    { key: t("overview.size"), value: formatBytes(model.sizeBytes) },
    { key: t("overview.usedBy"), value: model.bentos.length === 0 ? t("overview.unused") : model.bentos.join("\n") },
    { key: t("overview.folder"), value: model.path },
  ];
  return <Pairs rows={rows} empty="" testId="about" />;
}

/** How it came into this store, where somebody wrote it down. */
function originRows({ origin }: ModelView, locale: string, t: Translate): Pair[] {
  if (!origin || origin.kind === "unknown") return [];
  const { atMs, from, kind } = origin;
  const moment = `${formatMoment(locale, atMs)} (${formatAge(locale, atMs, Date.now())})`;
  const what = from === null ? t(`origin.${kind}`) : t(`origin.${kind}From`, from);
  return [{ key: t("overview.origin"), value: `${what}\n${moment}`, title: new Date(atMs).toISOString() }];
}

/** What an ONNX header says of the file as a whole. */
export function Onnx({ onnx }: { readonly onnx: NonNullable<ModelView["onnx"]> }): VNode {
  const t = useText();
  const nodes = onnx.ops.reduce((sum, { count }) => sum + count, 0);
  const external = { key: t("onnx.external"), value: t("onnx.externalFiles", onnx.externalFiles) };
  const rows = [
    { key: t("onnx.producer"), value: onnx.producer },
    { key: t("onnx.ir"), value: String(onnx.irVersion) },
    { key: t("onnx.opset"), value: onnx.opsets.map(({ key, value }) => `${key} ${value}`).join(", ") },
    ...(onnx.externalFiles === 0 ? [] : [external]),
    { key: t("onnx.ops"), value: t("onnx.opCount", onnx.ops.length, nodes) },
  ];
  return (
    <>
      <Pairs rows={rows} empty="" testId="onnx" />
      <ul class="badges plain ops" aria-label={t("onnx.ops")} data-testid="ops">
        {onnx.ops.map(({ op, count }) => (
          <li class="badge code" key={op}>
            {op} ×{count}
          </li>
        ))}
      </ul>
    </>
  );
}
