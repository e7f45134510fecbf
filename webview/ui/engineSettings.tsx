import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { EngineView } from "../protocol/views";
import { usePage, useText } from "./context";
import { Field } from "./entryRows";
import { Icon } from "./icons";
import { Dropdown, TextField } from "./kit";
import { Pairs } from "./pairs";

type Setting = EngineView["settings"][number];

const NUMBER = /^\s*(\d+(\.\d*)?|\.\d+)?\s*$/;

/** Where the model is loaded; nothing where there is nothing to choose. */
export function DevicePicker({ engine }: { readonly engine: EngineView }): VNode | null {
  const { test } = usePage();
  const t = useText();
  if (engine.devices.length < 2) return null;
  return (
    <div class="dim">
      <span class="quiet" aria-hidden="true">
        {t("engine.device")}
      </span>
      <Dropdown
        testId="device"
        label={t("engine.device")}
        options={engine.devices}
        value={engine.device}
        disabled={test.isBusy.value}
        onChange={(device) => void test.setEngine({ device })}
      />
    </div>
  );
}

/** How the model is loaded, folded; what is not as by default stands on the fold. */
export function EngineSettings({ engine }: { readonly engine: EngineView }): VNode | null {
  const t = useText();
  const { settings } = engine;
  if (settings.length === 0) return null;
  const changed = settings.filter(({ value }) => value !== "").map((one) => `${one.text}: ${shownValue(one)}`);
  return (
    <details class="folded engine" data-testid="engine">
      <summary data-testid="engine-summary">
        {t("engine.settings")}
        {changed.length === 0 ? null : <span class="folded-preview"> · {changed.join(" · ")}</span>}
      </summary>
      <div class="engine-fields">
        {settings.map((setting) => (
          <SettingField key={setting.word} setting={setting} />
        ))}
      </div>
      <p class="quiet">{t("engine.anew")}</p>
    </details>
  );
}

function shownValue({ value, choices }: Setting): string {
  return choices?.find((choice) => choice.value === value)?.text ?? value;
}

function SettingField({ setting }: { readonly setting: Setting }): VNode {
  const { test } = usePage();
  const t = useText();
  const { word, text, value, placeholder, choices } = setting;
  const put = (next: string): void => {
    if (next !== value) void test.setEngine({ settings: { [word]: next } });
  };
  if (!choices) return <NumberField setting={setting} put={put} />;
  return (
    <div class="labelled">
      <span aria-hidden="true">{text}</span>
      <Dropdown
        testId={`engine-${word}`}
        label={text}
        options={[{ value: "", text: t("engine.default", placeholder) }, ...choices]}
        value={value}
        disabled={test.isBusy.value}
        onChange={put}
      />
    </div>
  );
}

/** A number is taken when the field is left, or by Enter: on the way to it every digit would load the model anew. */
function NumberField({ setting, put }: { readonly setting: Setting; readonly put: (value: string) => void }): VNode {
  const { test } = usePage();
  const t = useText();
  const { word, text, value, placeholder } = setting;
  const [typed, setTyped] = useState<string>();
  const shown = typed ?? value;
  const isWrong = !NUMBER.test(shown);
  const settle = (): void => {
    if (typed === undefined || isWrong) return;
    put(typed.trim());
    setTyped(undefined);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the field inside has the focus, these events come up from it
    <div
      class="engine-number"
      onFocusOut={settle}
      onKeyDown={(event) => {
        if (event.key === "Enter") settle();
      }}
    >
      <Field issue={isWrong ? t("engine.number", shown) : ""} testId={`engine-${word}-error`}>
        <TextField
          testId={`engine-${word}`}
          label={text}
          placeholder={placeholder}
          value={shown}
          invalid={isWrong}
          disabled={test.isBusy.value}
          onInput={setTyped}
        />
      </Field>
    </div>
  );
}

/** What was asked for and is not used, and what ran the model where. */
export function EngineNotes({ engine }: { readonly engine: EngineView }): VNode | null {
  const t = useText();
  const { fallbacks, loaded } = engine;
  if (fallbacks.length + loaded.length === 0) return null;
  return (
    <>
      {fallbacks.length === 0 ? null : (
        <div class="notice" role="note" data-testid="fallbacks">
          <Icon name="warning" />
          <div class="error-text">
            <p class="error-title">{t("engine.fallbacks")}</p>
            {fallbacks.map((sentence) => (
              <p key={sentence}>{sentence}</p>
            ))}
          </div>
        </div>
      )}
      {loaded.length === 0 ? null : (
        <details class="folded" data-testid="loaded">
          <summary data-testid="loaded-summary">
            {t("engine.loaded")}
            <span class="folded-preview"> {loaded.map(({ key, value }) => `${key} ${value}`).join(" · ")}</span>
          </summary>
          <Pairs rows={loaded} empty="" testId="loaded-rows" />
        </details>
      )}
    </>
  );
}
