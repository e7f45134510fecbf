import type { VNode } from "preact";
import type { MethodView, TestView } from "../protocol/views";
import { usePage, useText } from "./context";
import { DevicePicker } from "./engineSettings";
import { Icon } from "./icons";
import { Button, Dropdown, TextField } from "./kit";
import { showWhatCounts } from "./whatCounts";

/** Most requests that one press of Send sends. */
const MAX_COPIES = 64;

/** Method, Run, Stop, and sending several requests at once. */
export function RunBar({ view, method }: { readonly view: TestView; readonly method: MethodView }): VNode {
  const { test } = usePage();
  const t = useText();
  const isBusy = test.isBusy.value;
  const blocked = test.blocked.value;
  const canRun = !isBusy && blocked === undefined;
  const hint = blocked === undefined ? t("test.runHint") : t(`${blocked}.runHint`);
  return (
    <div class="run-bar">
      <div class="run-method">
        {view.methods.length > 1 ? (
          <Dropdown
            testId="method"
            label={t("test.method")}
            options={view.methods.map(({ name }) => ({ value: name, text: name }))}
            value={method.name}
            disabled={isBusy}
            onChange={(name) => void test.choose(name)}
          />
        ) : (
          <span data-testid="method">
            <span class="quiet">{t("test.method")}</span> <code>{method.name}</code>
          </span>
        )}
      </div>
      <DevicePicker engine={view.engine} />
      <div class="run-buttons">
        <Button testId="run" kind="primary" label={hint} disabled={!canRun} onClick={() => void test.run(1)}>
          <span class="with-icon">
            <Icon name="run" />
            {t("test.run")}
          </span>
        </Button>
        <Button testId="stop" disabled={!isBusy} onClick={() => void test.stop()}>
          <span class="with-icon">
            <Icon name="stop" />
            {t("test.stop")}
          </span>
        </Button>
        <Copies canRun={canRun} />
      </div>
      <p class="quiet" role="status" data-testid="blocked">
        {blocked === undefined ? "" : t(`${blocked}.blocked`)}
      </p>
    </div>
  );
}

function Copies({ canRun }: { readonly canRun: boolean }): VNode {
  const { test } = usePage();
  const t = useText();
  const count = test.copies.value;
  const change = (text: string): void => {
    const wanted = Number(text);
    if (Number.isInteger(wanted) && wanted >= 1) test.copies.value = Math.min(wanted, MAX_COPIES);
  };
  return (
    <span class="copies">
      <Button testId="send" label={t("test.sendHint", count)} disabled={!canRun} onClick={() => void test.run(count)}>
        {t("test.send")}
      </Button>
      <span class="listens" onFocusOut={showWhatCounts(count)}>
        <TextField
          testId="copies"
          className="short"
          label={t("test.copies")}
          hideLabel
          value={String(count)}
          disabled={!canRun}
          onInput={change}
        />
      </span>
    </span>
  );
}
