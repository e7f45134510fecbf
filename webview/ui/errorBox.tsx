import type { ComponentChildren, VNode } from "preact";
import type { ErrorView } from "../protocol/views";
import { usePage, useText } from "./context";
import { Icon } from "./icons";
import { Button } from "./kit";

/** A failure in words: what failed, where, what to do, and the means to do it. */
export function ErrorBox(props: {
  readonly error: ErrorView;
  readonly testId: string;
  readonly title?: string;
  /** Shown below the words. */
  readonly extra?: ComponentChildren;
  readonly children?: ComponentChildren;
}): VNode {
  const { error, testId, title, extra, children } = props;
  const { peer } = usePage();
  const t = useText();
  const path = error.path !== null && error.message.includes(error.path) ? null : error.path;
  const copy = (): void => {
    const text = [title, error.message, error.remedy, path].filter((part) => part !== null && part !== undefined);
    void peer.request("text/copy", { text: text.join("\n") }).catch(() => undefined);
  };
  return (
    <div class="error-box" role="alert" data-testid={testId} data-code={error.code}>
      <Icon name="error" />
      <div class="error-text">
        {title === undefined ? null : <p class="error-title">{title}</p>}
        <Message text={error.message} />
        {error.remedy === null ? null : <p>{error.remedy}</p>}
        {path === null ? null : <p class="path">{path}</p>}
        {extra}
        <div class="actions">
          {children}
          <Button testId={`${testId}-copy`} onClick={copy}>
            {t("test.copyError")}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** Lines of a message that are seen at once; what Python says of a failure can be many. */
const OPEN_LINES = 8;
const FIRST_LINES = 3;

function Message({ text }: { readonly text: string }): VNode {
  const t = useText();
  const lines = text.split("\n");
  if (lines.length <= OPEN_LINES) return <p class="error-message">{text}</p>;
  return (
    <>
      <p class="error-message">{lines.slice(0, FIRST_LINES).join("\n")}</p>
      <details class="folded" data-testid="error-details">
        <summary>{t("error.details")}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre class="raw" tabIndex={0}>
          {lines.slice(FIRST_LINES).join("\n")}
        </pre>
      </details>
    </>
  );
}
