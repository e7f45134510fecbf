import type { ComponentChildren, VNode } from "preact";
import type { Row } from "../protocol/views";
import { useText } from "./context";
import { focusSoon } from "./focusSoon";
import { Icon } from "./icons";
import { Button, TextField } from "./kit";

/** A control with what is wrong with it below. */
export function Field(props: { issue: string; testId: string; children: ComponentChildren }): VNode {
  const { issue, testId, children } = props;
  return (
    <div class="field">
      {children}
      {issue === "" ? null : (
        <p class="field-error" data-testid={testId}>
          <Icon name="error" />
          {issue}
        </p>
      )}
    </div>
  );
}

/** Keys and values to edit, to remove and to add, a row each. */
export function EntryRows(props: {
  /** Begins the test ids, and the fields that issues name. */
  readonly field: string;
  /** What one row is called. */
  readonly noun: string;
  readonly add: string;
  readonly entries: readonly Row[];
  readonly onChange: (entries: readonly Row[]) => void;
  readonly issueOf: (field: string) => string;
}): VNode {
  const { field, noun, add, entries, onChange, issueOf } = props;
  const t = useText();
  const edit = (at: number, patch: Partial<Row>): void =>
    onChange(entries.map((entry, index) => (index === at ? { ...entry, ...patch } : entry)));
  return (
    <>
      {entries.map(({ key, value }, index) => (
        <Field issue={issueOf(`${field}.${index}`)} testId={`${field}-${index}-error`} key={index}>
          <div class="row entry">
            <TextField
              testId={`${field}-${index}-key`}
              label={t("save.keyOf", noun, index + 1)}
              hideLabel
              placeholder={t("save.key")}
              value={key}
              onInput={(text) => edit(index, { key: text })}
            />
            <TextField
              testId={`${field}-${index}-value`}
              label={t("save.valueOf", noun, index + 1)}
              hideLabel
              placeholder={t("save.value")}
              value={value}
              onInput={(text) => edit(index, { value: text })}
            />
            <Button
              testId={`${field}-${index}-remove`}
              kind="icon"
              label={t("save.remove", noun, index + 1)}
              onClick={() => {
                onChange(entries.filter((_, at) => at !== index));
                focusSoon(`${field}-${index}-remove`, `${field}-add`);
              }}
            >
              <Icon name="close" />
            </Button>
          </div>
        </Field>
      ))}
      <Button
        testId={`${field}-add`}
        onClick={() => {
          onChange([...entries, { key: "", value: "" }]);
          focusSoon(`${field}-${entries.length}-key`);
        }}
      >
        <span class="with-icon">
          <Icon name="add" />
          {add}
        </span>
      </Button>
    </>
  );
}
