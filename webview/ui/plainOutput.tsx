import type { VNode } from "preact";
import type { PlainValue } from "../protocol/views";
import { usePage, useText } from "./context";
import { CopyButton } from "./copyButton";
import type { OutputProps } from "./outputCard";
import { PlainTable } from "./plainTable";

/** Longest text, in characters, that the clipboard takes over. */
const MOST_COPIED = 100_000;

/** An output that is no array: a value as JSON, or a table. */
export function PlainOutput(props: OutputProps & { readonly plain: PlainValue }): VNode {
  const { output, plain } = props;
  const { locale } = usePage();
  const t = useText();
  const words =
    plain.kind === "json"
      ? t("plain.json")
      : t("plain.table", plain.count.toLocaleString(locale.value), plain.columns.length);
  return (
    <section class="card" aria-label={output.name} data-testid={`output-${output.name}`}>
      <header class="card-head">
        <h3 class="code">{output.name}</h3>
        <span class="quiet" data-testid={`plain-head-${output.name}`}>
          {words}
        </span>
      </header>
      <div class="stack-small plain-body">
        {plain.kind === "json" ? (
          <Json name={output.name} text={plain.text} isWhole={plain.isWhole} />
        ) : (
          <PlainTable {...props} table={plain} />
        )}
      </div>
    </section>
  );
}

function Json(props: { readonly name: string; readonly text: string; readonly isWhole: boolean }): VNode {
  const { name, text, isWhole } = props;
  const t = useText();
  return (
    <>
      <div class="plain-json">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre class="raw" tabIndex={0} data-testid={`plain-${name}`}>
          {text}
        </pre>
        {text.length > MOST_COPIED ? null : (
          <CopyButton testId={`copy-${name}`} text={text} label={`${t("plain.copy")}: ${name}`} />
        )}
      </div>
      {isWhole ? null : (
        <p class="quiet" data-testid={`cut-${name}`}>
          {t("plain.cut")}
        </p>
      )}
    </>
  );
}
