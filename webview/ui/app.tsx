import type { VNode } from "preact";
import { ComparePage } from "./comparePage";
import { usePage, useText } from "./context";
import { DetailsPage } from "./detailsPage";
import { FilePage } from "./filePage";
import { SaveForm } from "./saveForm";
import { TestSection } from "./testSection";

/** Shows what the page is about: details editor, test view, save form, or what to do before there is a model. */
export function App(): VNode | null {
  const { subject } = usePage();
  switch (subject.value?.kind) {
    case undefined:
      return null;
    case "details":
      return <DetailsPage />;
    case "test":
      return (
        <main class="page panel">
          <TestSection key={`${subject.value.store}/${subject.value.tag}`} heading={subject.value.tag} />
        </main>
      );
    case "save":
      return <SaveForm seed={subject.value.seed} />;
    case "file":
      return <FilePage />;
    case "compare":
      return <ComparePage />;
    case "none":
      return <NoModel />;
  }
}

function NoModel(): VNode {
  const t = useText();
  return (
    <main class="page panel">
      <div class="empty" data-testid="no-model">
        <p class="empty-title">{t("page.none")}</p>
        <p>{t("page.noneHint")}</p>
      </div>
    </main>
  );
}
