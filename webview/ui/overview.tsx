import type { ComponentChildren, VNode } from "preact";
import type { MethodView, ModelView, Row, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatAge, formatBytes, formatMoment, formatShape, layOutJson } from "./format";
import { isUnread } from "./unread";

/** What model.yaml and the file's header say about a model. */
export function Overview({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  if (isUnread(model)) {
    return (
      <Block title={t("overview.about")}>
        <Pairs rows={[{ key: t("overview.folder"), value: model.path }]} empty="" testId="about" />
      </Block>
    );
  }
  return (
    <div class="overview">
      <div class="overview-column">
        {model.methods.length === 0 ? null : (
          <Block title={t("section.signatures")}>
            <Methods methods={model.methods} />
          </Block>
        )}
        <Block title={t("overview.about")}>
          <About model={model} />
        </Block>
        <Block title={t("overview.metadata")}>
          <Pairs rows={model.metadata} empty={t("overview.noMetadata")} testId="metadata" />
        </Block>
        {model.onnx ? (
          <Block title={t("overview.onnx")}>
            <Onnx onnx={model.onnx} />
          </Block>
        ) : null}
      </div>
      <div class="overview-column">
        <Block title={t("overview.labels")}>
          <Labels labels={model.labels} />
        </Block>
        <Block title={t("overview.files")}>
          <Files model={model} />
        </Block>
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

function Block({ title, children }: { readonly title: string; readonly children: ComponentChildren }): VNode {
  return (
    <section class="block">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What each method takes and gives, a line each; the Signatures section has it at length. */
function Methods({ methods }: { readonly methods: readonly MethodView[] }): VNode {
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
    { key: t("overview.size"), value: formatBytes(model.sizeBytes) },
    { key: t("overview.folder"), value: model.path },
  ];
  return <Pairs rows={rows} empty="" testId="about" />;
}

function Labels({ labels }: { readonly labels: readonly Row[] }): VNode {
  const t = useText();
  if (labels.length === 0) return <p class="quiet">{t("overview.noLabels")}</p>;
  return (
    <ul class="badges plain" data-testid="labels">
      {labels.map(({ key, value }) => (
        <li class="badge" key={key}>
          {key}={value}
        </li>
      ))}
    </ul>
  );
}

/** A line of a two-column table, with what its value says at full length where that is another text. */
interface Pair extends Row {
  readonly title?: string;
}

function Pairs(props: { readonly rows: readonly Pair[]; readonly empty: string; readonly testId: string }): VNode {
  const { rows, empty, testId } = props;
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <dl class="pairs" data-testid={testId}>
      {rows.map(({ key, value, title }) => (
        <div class="pair" key={key}>
          <dt>{key}</dt>
          <dd title={title}>
            <Value text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A value as it is; lists and objects of more than a line are laid out and folded. */
function Value({ text }: { readonly text: string }): VNode {
  const t = useText();
  const laidOut = layOutJson(text);
  if (laidOut === undefined) return <>{text}</>;
  if (!laidOut.includes("\n")) return <code>{laidOut}</code>;
  return (
    <details class="folded">
      <summary>{t("overview.lines", laidOut.split("\n").length)}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre class="raw" tabIndex={0}>
        {laidOut}
      </pre>
    </details>
  );
}

function Files({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  if (model.files.length === 0) return <p class="quiet">{t("overview.noFiles")}</p>;
  return (
    <table class="table" data-testid="files">
      <thead>
        <tr>
          <th scope="col">{t("table.file")}</th>
          <th scope="col" class="number">
            {t("table.bytes")}
          </th>
        </tr>
      </thead>
      <tbody>
        {model.files.map(({ path, bytes }) => (
          <tr key={path}>
            <td class="code">{path}</td>
            <td class="number">{formatBytes(bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Onnx({ onnx }: { readonly onnx: NonNullable<ModelView["onnx"]> }): VNode {
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
