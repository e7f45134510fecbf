import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { elementCount } from "../protocol/drafts";
import type { OutputView } from "../protocol/views";
import { useText } from "./context";
import { formatCell, formatShape, rawJson } from "./format";
import { classOf, outputKind } from "./interpret";
import { Tabs } from "./kit";
import { MatrixGrid } from "./matrixGrid";
import { PlainOutput } from "./plainOutput";
import { VectorView } from "./vectorView";

/** What every view of an output gets. */
export interface OutputProps {
  readonly output: OutputView;
  /** Number of the request it answers. */
  readonly reply: number;
  readonly classes: readonly string[];
  readonly tag: string;
}

/** One output: the view that fits its shape, and its values as JSON. */
export function OutputCard(props: OutputProps): VNode {
  const { output, reply } = props;
  const t = useText();
  const { plain } = output;
  const [view, setView] = useState<"values" | "raw">("values");
  if (plain) return <PlainOutput {...props} plain={plain} />;
  return (
    <section class="card" aria-label={output.name} data-testid={`output-${output.name}`}>
      <header class="card-head">
        <h3 class="code">{output.name}</h3>
        <span class="quiet code">
          {output.dtype} {output.shape.length === 0 ? t("shape.scalar") : formatShape(output.shape)}
        </span>
      </header>
      <Tabs
        name={`output-${reply}-${output.name}`}
        label={t("result.view", output.name)}
        active={view}
        onChange={setView}
        tabs={[
          { id: "values", text: t("result.values"), content: () => <Values {...props} /> },
          { id: "raw", text: t("result.raw"), content: () => <Raw output={output} /> },
        ]}
      />
    </section>
  );
}

function Values(props: OutputProps): VNode {
  const t = useText();
  const { output, classes } = props;
  switch (outputKind(output)) {
    case "empty":
      return <p class="quiet">{t("result.empty", formatShape(output.shape))}</p>;
    case "scalar":
      return <Scalar output={output} classes={classes} />;
    case "vector":
      return <VectorView {...props} />;
    case "matrix":
      return <MatrixGrid {...props} />;
  }
}

function Scalar({ output, classes }: Pick<OutputProps, "output" | "classes">): VNode {
  const t = useText();
  const [value = ""] = output.values;
  const name = classOf(output.dtype, value, classes);
  return (
    <p class="scalar-result">
      <span class="big code" data-testid={`value-${output.name}`}>
        {formatCell(output.dtype, value)}
      </span>
      {name === undefined ? null : (
        <span
          class="big"
          data-testid={`class-${output.name}`}
          title={t("result.class", formatCell(output.dtype, value))}
        >
          {name}
        </span>
      )}
    </p>
  );
}

function Raw({ output }: { readonly output: OutputView }): VNode {
  const t = useText();
  const total = elementCount(output.shape);
  return (
    <div class="stack-small">
      {output.values.length < total ? <p class="quiet">{t("result.prefix", output.values.length, total)}</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre class="raw" tabIndex={0} data-testid={`raw-${output.name}`}>
        {rawJson(output.dtype, output.shape, output.values)}
      </pre>
    </div>
  );
}
