import type { ComponentChildren, VNode } from "preact";
import type { ProvenanceView, VersionsView } from "../protocol/madeViews";
import type { ModelView } from "../protocol/views";
import { usePage, useText } from "./context";
import { EditBlock } from "./editBlock";
import { EntryRows } from "./entryRows";
import { Icon } from "./icons";
import { Button } from "./kit";
import { Pairs } from "./pairs";

/** How a model was made, as far as that was noted, and what has changed since. */
export function MadeFrom({ model }: { readonly model: ModelView }): VNode | null {
  const t = useText();
  const made = model.provenance;
  if (made === null) return null;
  return (
    <section class="block" data-testid="made-from">
      <h2>{t("made.title")}</h2>
      <dl class="pairs">
        <Line name={t("made.expression")}>
          <code>{made.expression}</code>
        </Line>
        <Line name={t("made.script")}>
          <File path={made.commit?.script ?? made.script.path} title={made.script.path} state={made.script.state} />
        </Line>
        <Commit commit={made.commit} />
        {made.data.length === 0 ? null : (
          <Line name={t("made.data")}>
            <ul class="plain" data-testid="made-data">
              {made.data.map(({ path, state }) => (
                <li key={path}>
                  <File path={path} title={path} state={state} />
                </li>
              ))}
            </ul>
          </Line>
        )}
      </dl>
    </section>
  );
}

function Line({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div class="pair">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Commit({ commit }: { readonly commit: ProvenanceView["commit"] }): VNode {
  const page = usePage();
  const t = useText();
  if (commit === null) {
    return (
      <Line name={t("made.commit")}>
        <span class="quiet">{t("made.noCommit")}</span>
      </Line>
    );
  }
  const { branch, hash, isDirty, remote } = commit;
  return (
    <>
      <Line name={t("made.commit")}>
        <div class="fact-line">
          <code title={hash}>{hash.slice(0, 10)}</code>
          <Button testId="open-commit" onClick={() => page.command("openCommit")}>
            {t("made.openCommit")}
          </Button>
        </div>
        {isDirty === false ? null : (
          <p class="with-icon-text" data-testid="made-dirty">
            <Icon name="warning" />
            {isDirty ? t("made.dirty") : t("made.dirtyUnknown")}
          </p>
        )}
      </Line>
      {branch === null ? null : <Line name={t("made.branch")}>{branch}</Line>}
      {remote === null ? null : <Line name={t("made.remote")}>{remote}</Line>}
    </>
  );
}

/** What is as it was needs no mark; the words say what is not. */
function File(props: {
  readonly path: string;
  readonly title: string;
  readonly state: ProvenanceView["script"]["state"];
}): VNode {
  const { path, state, title } = props;
  const t = useText();
  return (
    <span class="with-icon-text" data-state={state} title={title}>
      {state === "same" ? null : <Icon name="warning" />}
      <span>
        {path} <span class="quiet">({t(`made.state.${state}`)})</span>
      </span>
    </span>
  );
}

/** The versions that a model was made with, beside those that would run it here. */
export function Versions({ versions }: { readonly versions: VersionsView | null }): VNode | null {
  const t = useText();
  if (versions === null || versions.rows.length === 0) return null;
  const { interpreter, rows } = versions;
  const other = rows.filter(({ saved, now }) => saved !== now).length;
  return (
    <section class="block" data-testid="versions">
      <h2>{t("versions.title")}</h2>
      <p class="quiet">{t("versions.with", interpreter)}</p>
      <p class="with-icon-text" data-testid="versions-summary">
        {other === 0 ? null : <Icon name="warning" />}
        {other === 0 ? t("versions.same") : t("versions.differ", other, rows.length)}
      </p>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("versions.package")}</th>
            <th scope="col">{t("versions.saved")}</th>
            <th scope="col">{t("versions.now")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, saved, now }) => (
            <tr key={name} data-testid={`version-${name}`}>
              <td class="code">{name}</td>
              <td class="code">{saved}</td>
              <td class="code">
                {now ?? t("versions.absent")}
                {now === null || now === saved ? null : ` (${t("versions.differs")})`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The arguments that every call of a method is given, with their form. */
export function PartialArguments({ model }: { readonly model: ModelView }): VNode | null {
  const t = useText();
  const partial = model.partialKwargs;
  if (partial === null) return null;
  const locked = partial.filter(({ json }) => json === null).map(({ key }) => key);
  return (
    <EditBlock
      model={model}
      part="partialKwargs"
      title={t("partial.title")}
      action={t("edit.partialKwargs")}
      form={(parts) => (
        <>
          <p class="quiet">{t("partial.hint")}</p>
          <EntryRows field="partialKwargs" noun={t("partial.noun")} add={t("partial.add")} {...parts} />
          {locked.length === 0 ? null : <p class="quiet">{t("edit.locked", locked.join(", "))}</p>}
        </>
      )}
    >
      <Pairs
        rows={partial.map(({ key, json }) => ({ key, value: json ?? "…" }))}
        empty={t("partial.none")}
        testId="partial-kwargs"
      />
    </EditBlock>
  );
}
