import type { ComponentChildren } from "preact";
import type { ContentView } from "../protocol/content";
import type { Section } from "../protocol/savedState";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { GraphSection } from "./graph/graphSection";
import { Button, type Tab } from "./kit";
import { PickleSection } from "./pickleSection";
import { TensorsSection } from "./tensors/tensorsSection";

interface ContentTab {
  readonly id: Exclude<Section, "overview" | "signatures" | "test">;
  /** Whether a content has anything for it. */
  readonly isThere: (content: ContentView) => boolean;
  readonly section: (content: ContentView) => ComponentChildren;
}

/** Sections about what files hold, in the order of their tabs; model pages and file pages show the same. */
const TABS: readonly ContentTab[] = [
  { id: "tensors", isThere: ({ tensorCount }) => tensorCount > 0, section: () => <TensorsSection /> },
  {
    id: "pickle",
    isThere: ({ pickle }) => pickle !== null,
    section: (content) => (content.pickle ? <PickleSection content={content} pickle={content.pickle} /> : null),
  },
  { id: "graph", isThere: ({ onnx }) => onnx !== null, section: () => <GraphSection /> },
];

/** The tabs that the content of the page's subject has. While it is being read, the tab that was shown last is there. */
export function useContentTabs(): Tab<Section>[] {
  const { content, section } = usePage();
  const t = useText();
  const summary = content.summary.value;
  return TABS.filter(({ id, isThere }) =>
    summary.state === "ready" ? isThere(summary.value) : section.value === id,
  ).map((tab) => ({
    id: tab.id,
    text: t(`section.${tab.id}`),
    content: () => (summary.state === "ready" ? tab.section(summary.value) : <NotRead />),
  }));
}

function NotRead(): ComponentChildren {
  const { content } = usePage();
  const t = useText();
  const summary = content.summary.value;
  if (summary.state !== "failed") {
    return (
      <p class="quiet" role="status">
        {t("content.loading")}
      </p>
    );
  }
  return (
    <ErrorBox error={summary.error} testId="content-error">
      <Button testId="content-retry" onClick={() => void content.load()}>
        {t("page.retry")}
      </Button>
    </ErrorBox>
  );
}
