import type { VNode } from "preact";
import type { Row } from "../protocol/views";
import { useText } from "./context";
import { layOutJson } from "./format";

/** A line of a two-column table, with what its value says at full length where that is another text. */
export interface Pair extends Row {
  readonly title?: string;
}

/** Keys and values, a line each. */
export function Pairs(props: {
  readonly rows: readonly Pair[];
  readonly empty: string;
  readonly testId: string;
}): VNode {
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

/** Longest text, in characters, and most lines that a value takes without being folded. */
const OPEN_CHARACTERS = 400;
const OPEN_LINES = 8;

/** Characters of a folded text that its summary shows. */
const PREVIEW_CHARACTERS = 80;

/** A value as it is; lists and objects of more than a line are laid out and folded, and so are long texts. */
function Value({ text }: { readonly text: string }): VNode {
  const t = useText();
  const laidOut = layOutJson(text);
  if (laidOut !== undefined && !laidOut.includes("\n")) return <code>{laidOut}</code>;
  if (laidOut !== undefined) {
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
  const lines = text.split("\n").length;
  if (text.length <= OPEN_CHARACTERS && lines <= OPEN_LINES) return <>{text}</>;
  return (
    <details class="folded">
      <summary>
        <span class="folded-preview">{`${beginning(text)}… `}</span>
        {lines > OPEN_LINES ? t("overview.lines", lines) : t("overview.characters", text.length)}
      </summary>
      {text}
    </details>
  );
}

/** The first words of a text on one line, cut between characters. */
function beginning(text: string): string {
  return [...text.slice(0, 2 * PREVIEW_CHARACTERS)].slice(0, PREVIEW_CHARACTERS).join("").replace(/\s+/g, " ").trim();
}
