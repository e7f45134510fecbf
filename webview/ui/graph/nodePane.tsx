import type { ComponentChildren, VNode } from "preact";
import type { AttributeView, NodeLink, NodeValue, NodeView } from "../../protocol/graph";
import { usePage, useText } from "../context";
import { ErrorBox } from "../errorBox";
import { formatCell, formatShape } from "../format";
import { typeText } from "./graphColumns";

/** Everything about the node that is chosen: what it computes, and what it connects to. */
export function NodePane(): VNode {
  const { graph } = usePage();
  const t = useText();
  const node = graph.node.value;
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      class="node-pane"
      aria-label={t("graph.node")}
      data-testid="graph-node"
      aria-busy={node?.state === "loading"}
    >
      {node === undefined ? <p class="quiet">{t("graph.noNode")}</p> : null}
      {node?.state === "loading" ? <p class="quiet">{t("graph.reading")}</p> : null}
      {node?.state === "failed" ? <ErrorBox error={node.error} testId="graph-node-error" /> : null}
      {node?.state === "ready" ? <Node node={node.value} /> : null}
    </section>
  );
}

function Node({ node }: { readonly node: NodeView }): VNode {
  const { graph } = usePage();
  const t = useText();
  const inner = node.subgraphs.map((one) => ({ ...one, text: one.attribute }));
  if (node.function !== null) inner.push({ attribute: "", graph: node.function, text: t("graph.function") });
  return (
    <>
      <h2 class="code" data-testid="graph-node-op">
        {node.op}
      </h2>
      {node.name === "" ? null : <p class="code node-name">{node.name}</p>}
      {node.docString === "" ? null : <p class="quiet notes">{node.docString}</p>}
      {inner.length === 0 ? null : (
        <div class="badges">
          {inner.map(({ graph: number, text }) => (
            <button
              type="button"
              class="badge toggle"
              key={number}
              data-testid="graph-enter"
              onClick={() => graph.enter(number)}
            >
              {t("graph.enter", text)}
            </button>
          ))}
        </div>
      )}
      <Values title={t("graph.column.inputs")} values={node.inputs} />
      <Values title={t("graph.column.outputs")} values={node.outputs} />
      {node.moreNames > 0 ? <p class="quiet">{t("graph.moreNames", node.moreNames)}</p> : null}
      <Attributes node={node} />
      {node.metadata.length === 0 ? null : (
        <Part title={t("overview.metadata")}>
          <dl class="node-list">
            {node.metadata.map(([key, value], index) => (
              <div key={index}>
                <dt class="code">{key}</dt>
                <dd class="code">{value}</dd>
              </div>
            ))}
          </dl>
        </Part>
      )}
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }): VNode {
  return (
    <div class="node-part">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

function Values({ title, values }: { readonly title: string; readonly values: readonly NodeValue[] }): VNode | null {
  if (values.length === 0) return null;
  return (
    <Part title={title}>
      <ul class="plain node-list">
        {values.map((value, index) => (
          <Value key={index} value={value} />
        ))}
      </ul>
    </Part>
  );
}

function Value({ value }: { readonly value: NodeValue }): VNode {
  const t = useText();
  const { name, declared, producer, consumers, moreConsumers, isGraphOutput } = value;
  if (name === "") return <li class="quiet">{t("graph.leftOut")}</li>;
  const kind = declared && declared.kind !== "value" && declared.kind !== "output" ? declared.kind : undefined;
  const type = declared ? typeText(declared.spec, t) : "";
  return (
    <li>
      <span class="code">{name}</span> {type === "" ? null : <span class="quiet code">{type}</span>}
      {kind === undefined ? null : <p class="quiet">{t(`graph.kind.${kind}`)}</p>}
      {producer ? <Links words={t("graph.from")} links={[producer]} testId="graph-producer" /> : null}
      {consumers.length > 0 ? (
        <Links words={t("graph.to")} links={consumers} more={moreConsumers} testId="graph-consumer" />
      ) : null}
      {isGraphOutput ? <p class="quiet">{t("graph.isOutput")}</p> : null}
    </li>
  );
}

function Links(props: {
  readonly words: string;
  readonly links: readonly NodeLink[];
  readonly more?: number;
  readonly testId: string;
}): VNode {
  const { graph } = usePage();
  const t = useText();
  const { words, links, more = 0, testId } = props;
  return (
    <p>
      <span class="quiet">{words}</span>{" "}
      {links.map((link) => (
        <button
          type="button"
          class="link code node-link"
          key={`${link.graph} ${link.node}`}
          data-testid={testId}
          title={link.name}
          onClick={() => graph.enter(link.graph, link.node)}
        >
          {`${link.op} ${link.node}`}
        </button>
      ))}
      {more > 0 ? <span class="quiet">{t("graph.more", more)}</span> : null}
    </p>
  );
}

function Attributes({ node }: { readonly node: NodeView }): VNode | null {
  const t = useText();
  // Subgraphs are entered by the buttons above.
  const attributes = node.attributes.filter(({ type }) => type !== "GRAPH" && type !== "GRAPHS");
  if (attributes.length === 0) return null;
  return (
    <Part title={t("graph.attributes")}>
      <dl class="node-list" data-testid="graph-attributes">
        {attributes.map((attribute, index) => (
          <div key={index}>
            <dt>
              <span class="code">{attribute.name}</span> <span class="quiet">{attribute.type.toLowerCase()}</span>
            </dt>
            <dd class="code">
              <AttributeValue attribute={attribute} />
            </dd>
            {attribute.docString === "" ? null : <dd class="quiet">{attribute.docString}</dd>}
          </div>
        ))}
      </dl>
      {node.moreAttributes > 0 ? <p class="quiet">{t("graph.more", node.moreAttributes)}</p> : null}
    </Part>
  );
}

function AttributeValue({ attribute }: { readonly attribute: AttributeView }): VNode {
  const t = useText();
  const { type, values, count, tensors, refersTo } = attribute;
  if (refersTo !== "") return <>{t("graph.refersTo", refersTo)}</>;
  if (tensors.length > 0) {
    return (
      <>
        {tensors.map(({ dtype, nativeDtype, shape, values: held }, index) => (
          <p key={index}>
            {`${dtype ?? nativeDtype} ${formatShape(shape)}`}
            {held.length === 0 ? "" : ` = ${listText(dtype ?? "", held)}`}
          </p>
        ))}
        {count > tensors.length ? <span class="quiet">{t("graph.more", count - tensors.length)}</span> : null}
      </>
    );
  }
  const isList = type.endsWith("S");
  const dtype = type.startsWith("FLOAT") ? "float32" : "";
  return (
    <>
      {isList ? listText(dtype, values) : values.map((value) => formatCell(dtype, value)).join("")}
      {count > values.length ? <span class="quiet"> {t("graph.more", count - values.length)}</span> : null}
    </>
  );
}

function listText(dtype: string, values: AttributeView["values"]): string {
  return `[${values.map((value) => formatCell(dtype, value)).join(", ")}]`;
}
