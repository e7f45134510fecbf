import type { VNode } from "preact";
import type { PythonView } from "../protocol/views";
import { usePage, useText } from "./context";
import { CopyButton } from "./copyButton";
import { Icon } from "./icons";
import { Button } from "./kit";

/** Which Python would run the model and why, and what it lacks; none at all is the only loud case. */
export function PythonLine({ python }: { readonly python: PythonView }): VNode {
  const { test } = usePage();
  const t = useText();
  const { interpreter, by, problem } = python;
  const choose = (
    <Button testId="choose-python" onClick={() => void test.chooseInterpreter()} disabled={test.isBusy.value}>
      {t("python.choose")}
    </Button>
  );
  if (interpreter === null) {
    return (
      <div class="notice" role="note" data-testid="python-missing">
        <Icon name="warning" />
        <div class="error-text">
          <p class="error-title">{t("python.none")}</p>
          {problem ? <p class="error-message">{problem.message}</p> : null}
          {problem?.remedy ? <p>{problem.remedy}</p> : null}
          <div class="actions">{choose}</div>
        </div>
      </div>
    );
  }
  return (
    <>
      <div class="fact-line" data-testid="python-line">
        <p class="quiet">
          {t("python.uses")} <code>{interpreter}</code> {by === "" ? null : <span>{t("python.by", by)}</span>}
        </p>
        {choose}
      </div>
      {python.lacking.length === 0 ? null : <Lacking python={python} />}
    </>
  );
}

function Lacking({ python: { lacking, command } }: { readonly python: PythonView }): VNode {
  const t = useText();
  const names = lacking.join(", ");
  return (
    <div class="notice" role="note" data-testid="python-lacks">
      <Icon name="warning" />
      <div class="error-text">
        <p>{t("python.lacks", names)}</p>
        {command === "" ? null : (
          <div class="command">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre class="command-line" tabIndex={0} data-testid="python-command">
              {command}
            </pre>
            <CopyButton
              testId="copy-python-command"
              text={command}
              label={t("python.copyLine", names)}
              words={t("python.copy")}
            />
          </div>
        )}
      </div>
    </div>
  );
}
