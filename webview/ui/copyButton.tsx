import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { usePage, useText } from "./context";
import { Icon } from "./icons";
import { Button } from "./kit";

/** How long the button says that it has copied, in milliseconds. */
const COPIED_MS = 1500;

/** Puts a text on the clipboard and says so for a moment. `words` stand on it; without them it is a picture. */
export function CopyButton(props: {
  readonly testId: string;
  readonly text: string;
  /** What it copies, for screen readers and on hover. */
  readonly label: string;
  readonly words?: string;
}): ComponentChildren {
  const { testId, text, label, words } = props;
  const { peer } = usePage();
  const t = useText();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await peer.request("text/copy", { text });
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <Button
      testId={testId}
      kind={words === undefined ? "icon" : "secondary"}
      label={isCopied ? t("tag.copied") : label}
      onClick={() => void copy().catch(() => undefined)}
    >
      {words === undefined ? <Icon name={isCopied ? "check" : "copy"} /> : isCopied ? t("tag.copied") : words}
    </Button>
  );
}
