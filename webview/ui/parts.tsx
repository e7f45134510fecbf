import type { VNode } from "preact";
import type { ModelView, Row } from "../protocol/views";
import { type Batching, BatchRow } from "./batchRow";
import { usePage, useText } from "./context";
import { EditBlock, type EditForm } from "./editBlock";
import { EntryRows, Field } from "./entryRows";
import { focusSoon } from "./focusSoon";
import { Icon } from "./icons";
import { Button, TextArea, TextField } from "./kit";
import { Pairs } from "./pairs";

/** The labels as chips, and the form behind them. */
export function Labels({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  const form = (parts: EditForm): VNode => (
    <EntryRows field="labels" noun={t("save.label")} add={t("save.addLabel")} {...parts} />
  );
  return (
    <EditBlock model={model} part="labels" action={t("edit.labels")} form={form}>
      {model.labels.length === 0 ? (
        <p class="quiet">{t("overview.noLabels")}</p>
      ) : (
        <ul class="badges plain" aria-label={t("overview.labels")} data-testid="labels">
          {model.labels.map(({ key, value }) => (
            <li class="badge" key={key}>
              {key}={value}
            </li>
          ))}
        </ul>
      )}
    </EditBlock>
  );
}

/** The metadata but the notes, which have a block of their own. */
export function Metadata({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  const rows = model.metadata.filter(({ key }) => key !== "notes" || model.notes === "");
  const locked = model.metadataJson.filter(({ json }) => json === null).map(({ key }) => key);
  const form = (parts: EditForm): VNode => (
    <>
      <p class="quiet">{t("save.metadataHint")}</p>
      <EntryRows field="metadata" noun={t("save.entry")} add={t("save.addMetadata")} {...parts} />
      {locked.length === 0 ? null : <p class="quiet">{t("edit.locked", locked.join(", "))}</p>}
    </>
  );
  return (
    <EditBlock model={model} part="metadata" title={t("overview.metadata")} action={t("edit.metadata")} form={form}>
      <Pairs rows={rows} empty={t("overview.noMetadata")} testId="metadata" />
    </EditBlock>
  );
}

/** What the people who made this version say of it: plain text with its line breaks, never HTML or Markdown. */
export function Notes({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  const { release, notes } = model;
  return (
    <EditBlock
      model={model}
      part="notes"
      title={t("overview.notes")}
      action={t("edit.notes")}
      form={(parts) => <NotesForm {...parts} />}
    >
      {release === "" && notes === "" ? <p class="quiet">{t("overview.noNotes")}</p> : null}
      {release === "" ? null : (
        <p class="release" data-testid="release">
          {release}
        </p>
      )}
      {notes === "" ? null : (
        <p class="notes" data-testid="notes">
          {notes.trimEnd()}
        </p>
      )}
    </EditBlock>
  );
}

function NotesForm({ entries, onChange }: EditForm): VNode {
  const t = useText();
  const textOf = (key: string): string => entries.find((entry) => entry.key === key)?.value ?? "";
  const set = (key: string, value: string): void =>
    onChange(entries.map((entry) => (entry.key === key ? { key, value } : entry)));
  return (
    <>
      <TextField
        testId="notes-release"
        label={t("edit.release")}
        value={textOf("release")}
        onInput={(value) => set("release", value)}
      />
      <TextArea
        testId="notes-text"
        label={t("overview.notes")}
        rows={8}
        value={textOf("notes")}
        onInput={(value) => set("notes", value)}
      />
    </>
  );
}

/** The form for what model.yaml says of each method: whether it takes batches, and along which axes. */
export function MethodsForm({ entries, onChange, issueOf }: EditForm): VNode {
  const t = useText();
  const replace = (at: number, row: Row): void => onChange(entries.map((entry, index) => (index === at ? row : entry)));
  return (
    <>
      {entries.map(({ key, value }, index) => (
        <Field issue={issueOf(`signatures.${index}`)} testId={`signatures-${index}-error`} key={index}>
          <div class="row entry">
            <TextField
              testId={`signatures-${index}-key`}
              label={t("edit.methodOf", index + 1)}
              hideLabel
              placeholder={t("edit.method")}
              value={key}
              onInput={(name) => replace(index, { key: name, value })}
            />
            <BatchRow
              prefix="edit"
              name={String(index)}
              value={batchingOf(value)}
              onChange={(batching) => replace(index, { key, value: JSON.stringify(batching) })}
            />
            <Button
              testId={`signatures-${index}-remove`}
              kind="icon"
              label={t("save.remove", t("edit.method"), index + 1)}
              onClick={() => {
                onChange(entries.filter((_, at) => at !== index));
                focusSoon(`signatures-${index}-remove`, "signatures-add");
              }}
            >
              <Icon name="close" />
            </Button>
          </div>
        </Field>
      ))}
      <Button
        testId="signatures-add"
        onClick={() => {
          onChange([...entries, { key: "", value: NEW_METHOD }]);
          focusSoon(`signatures-${entries.length}-key`);
        }}
      >
        <span class="with-icon">
          <Icon name="add" />
          {t("edit.addMethod")}
        </span>
      </Button>
    </>
  );
}

const NEW_METHOD = JSON.stringify({ batchable: false, batchDim: [0, 0] });

/** What `rowsOf` wrote; anything else counts as a new method. */
function batchingOf(json: string): Batching {
  const { batchable, batchDim }: Batching = JSON.parse(json);
  return { batchable, batchDim };
}

/** Says to screen readers that a part was written. */
export function SavedAnnouncer(): VNode {
  const { edit } = usePage();
  const t = useText();
  const part = edit.saved.value;
  return (
    <p class="hidden" aria-live="polite" data-testid="edit-announcer">
      {part === undefined ? "" : t(`edit.saved.${part}`)}
    </p>
  );
}
