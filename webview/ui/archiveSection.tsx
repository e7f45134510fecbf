import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import type { ArchiveMemberView, ArchiveModelView } from "../protocol/file";
import { MEMBER_TENSORS } from "../protocol/file";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import type { ArchiveLook } from "./fileState";
import { formatBytes, formatMoment, formatPercent, formatShape } from "./format";
import { formatWords, verdictWords } from "./formatWords";
import { Icon } from "./icons";
import { Button } from "./kit";
import { useNextFocus } from "./nextFocus";
import { Block, Methods } from "./overview";
import { Pairs } from "./pairs";
import { countWords } from "./texts";

/** Members that are drawn before more are asked for. */
const PART = 200;

const OVER = ["archive-again", "archive-state"];
/** What takes the focus in each state. */
const FOCUSED = { reading: ["archive-stop"], done: OVER, stopped: OVER, failed: OVER } as const;

/** What passes of an archive while it is looked into: nothing is unpacked, and it can be stopped at any time. */
export function ArchiveSection(): VNode | null {
  const { file } = usePage();
  const t = useText();
  const look = file.archive.value;
  const box = useRef<HTMLDivElement>(null);
  useNextFocus(box, look?.state ?? "none", FOCUSED);
  if (!look) return null;
  return (
    <div class="stack" ref={box}>
      <LookState look={look} />
      {look.error ? (
        <ErrorBox error={look.error} title={t("archive.refused")} testId="archive-refused">
          <Again />
        </ErrorBox>
      ) : null}
      {look.warnings.length === 0 ? null : (
        <section class="notice" aria-label={t("warnings.title")} data-testid="warnings">
          <Icon name="warning" />
          <ul class="plain">
            {look.warnings.map((message) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        </section>
      )}
      {look.model ? <Model model={look.model} /> : null}
      <Members />
    </div>
  );
}

function LookState({ look }: { readonly look: ArchiveLook }): VNode {
  const { file, locale } = usePage();
  const t = useText();
  const members = file.members.value;
  const { doneBytes, isStale, state, totalBytes } = look;
  const files = countWords(t, locale.value, "archive.files", members.length);
  if (state === "reading") {
    const share = totalBytes ? doneBytes / totalBytes : 0;
    return (
      <div class="archive-state row" data-testid="archive-state" data-state={state}>
        <progress aria-label={t("archive.reading")} value={share} max={1} />
        <span class="quiet">
          {t("archive.progress", files, formatBytes(doneBytes), formatPercent(locale.value, share))}
        </span>
        <Button testId="archive-stop" onClick={() => file.stop()}>
          {t("archive.stop")}
        </Button>
      </div>
    );
  }
  const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
  return (
    <div class="archive-state row" role="status" tabIndex={-1} data-testid="archive-state" data-state={state}>
      <span class="quiet">{t(state === "done" ? "archive.done" : "archive.partly", files, formatBytes(bytes))}</span>
      {isStale ? <span>{t("archive.stale")}</span> : null}
      {isStale || state === "stopped" ? <Again /> : null}
    </div>
  );
}

function Again(): VNode {
  const { file } = usePage();
  const t = useText();
  return (
    <Button testId="archive-again" onClick={() => void file.again()}>
      {t("archive.again")}
    </Button>
  );
}

function Model({ model }: { readonly model: ArchiveModelView }): VNode {
  const { locale } = usePage();
  const t = useText();
  const about = [
    { key: t("archive.tag"), value: model.tag },
    { key: t("overview.module"), value: model.module === "" ? t("archive.noModule") : model.module },
    { key: t("overview.saved"), ...momentOf(locale.value, model) },
  ];
  return (
    <div class="overview" data-testid="archive-model">
      <div class="overview-column">
        <Block title={t("archive.model")}>
          <Pairs rows={about} empty="" testId="about" />
        </Block>
        {model.methods.length === 0 ? null : (
          <Block title={t("section.signatures")}>
            <Methods methods={model.methods} />
          </Block>
        )}
      </div>
      <div class="overview-column">
        <Block title={t("overview.labels")}>
          <Pairs rows={model.labels} empty={t("overview.noLabels")} testId="labels" />
        </Block>
        <Block title={t("overview.metadata")}>
          <Pairs rows={model.metadata} empty={t("file.noMetadata")} testId="metadata" />
        </Block>
      </div>
    </div>
  );
}

/** A moment as the language writes it, as it stands in model.yaml beside it; what is no moment stays as it is. */
function momentOf(locale: string, model: ArchiveModelView): { readonly value: string; readonly title: string } {
  const { created, createdMs } = model;
  return { value: createdMs === null ? created : formatMoment(locale, createdMs), title: created };
}

function Members(): VNode | null {
  const { file } = usePage();
  const t = useText();
  const [shown, setShown] = useState(PART);
  const members = file.members.value;
  if (members.length === 0) return null;
  return (
    <section class="block">
      <h2>{t("archive.members")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label={t("archive.members")}>
        <table class="table members" data-testid="members">
          <thead>
            <tr>
              <th scope="col">{t("table.file")}</th>
              <th scope="col">{t("file.format")}</th>
              <th scope="col">{t("archive.inside")}</th>
              <th scope="col" class="number">
                {t("table.bytes")}
              </th>
            </tr>
          </thead>
          <tbody>
            {members.slice(0, shown).map((member, index) => (
              <Member key={member.path} member={member} index={index} />
            ))}
          </tbody>
        </table>
      </section>
      {members.length <= shown ? null : (
        <div class="actions">
          <Button testId="members-more" onClick={() => setShown(shown + PART)}>
            {t("archive.more", members.length - shown)}
          </Button>
        </div>
      )}
    </section>
  );
}

function Member({ member, index }: { readonly member: ArchiveMemberView; readonly index: number }): VNode {
  const { file, locale } = usePage();
  const t = useText();
  const { bytes, format, imports, notes, parameters, path, tensorCount, verdict } = member;
  const number = (value: number): string => value.toLocaleString(locale.value);
  const isOpen = file.chosen.value?.member === index;
  const toggle = (): void => {
    if (isOpen) file.chosen.value = undefined;
    else void file.choose(index);
  };
  return (
    <>
      <tr data-testid="member">
        <td class="code">{path}</td>
        <td>{format === null ? "…" : format === "unknown" ? "" : formatWords(t, format)}</td>
        <td>
          {tensorCount === 0 ? null : (
            <button type="button" class="link" aria-expanded={isOpen} data-testid="member-tensors" onClick={toggle}>
              {t(
                "archive.tensors",
                countWords(t, locale.value, "archive.tensorCount", tensorCount),
                number(parameters),
              )}
            </button>
          )}
          {verdict === null ? null : (
            <p class={verdict === "allowed" ? "quiet" : "with-icon verdict"} data-testid="member-verdict">
              {verdict === "allowed" ? null : <Icon name="warning" />}
              {verdictWords(t, verdict)}
              {imports.length === 0 || verdict === "allowed" ? "" : `: ${imports.join(", ")}`}
            </p>
          )}
          {notes.map((note) => (
            <p class="quiet" key={note}>
              {note}
            </p>
          ))}
        </td>
        <td class="number">{formatBytes(bytes)}</td>
      </tr>
      {isOpen ? <Tensors count={tensorCount} /> : null}
    </>
  );
}

function Tensors({ count }: { readonly count: number }): VNode {
  const { file, locale } = usePage();
  const t = useText();
  const tensors = file.chosen.value?.tensors ?? [];
  return (
    <tr data-testid="member-list">
      <td colSpan={4}>
        <ul class="plain code tensor-names">
          {tensors.map(({ dtype, name, nativeDtype, shape }, index) => (
            <li key={index}>
              {name} <span class="quiet">{`${dtype ?? nativeDtype} ${formatShape(shape)}`}</span>
            </li>
          ))}
        </ul>
        {tensors.length < Math.min(count, MEMBER_TENSORS) || count <= tensors.length ? null : (
          <p class="quiet">{t("archive.moreTensors", (count - tensors.length).toLocaleString(locale.value))}</p>
        )}
      </td>
    </tr>
  );
}
