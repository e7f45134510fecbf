import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { ContentView, PickleView } from "../protocol/content";
import { usePage, useText } from "./context";
import { pickleWords, verdictWords } from "./formatWords";
import { Icon } from "./icons";
import { TextField } from "./kit";
import { Block } from "./overview";

type Import = PickleView["imports"][number];
type Finding = PickleView["findings"][number];

/** What deserves a look comes first. */
const CLASSES = ["dangerous", "code", "unknown", "allowed"] as const;
/** From so many lines on they can be searched. */
const SEARCHED_FROM = 12;

/** What the pickles of the page's subject import, call and change, and what that means, in words. */
export function PickleSection(props: { readonly content: ContentView; readonly pickle: PickleView }): VNode {
  const { content, pickle } = props;
  const t = useText();
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const imports = useMemo(() => pickle.imports.filter((one) => fits(wanted, one.module, one.name)), [pickle, wanted]);
  const others = useMemo(
    () => pickle.findings.filter(({ kind, message }) => kind !== "import" && fits(wanted, message)),
    [pickle, wanted],
  );
  const total = pickle.imports.length + pickle.findings.filter(({ kind }) => kind !== "import").length;
  return (
    <div class="stack pickle" data-testid="pickle">
      <Verdict pickle={pickle} />
      <Files content={content} />
      {total < SEARCHED_FROM ? null : (
        <div class="pickle-search">
          <TextField testId="pickle-search" label={t("pickle.search")} value={query} onInput={setQuery} />
          <span class="quiet" role="status" data-testid="pickle-shown">
            {wanted === "" ? "" : t("pickle.shown", imports.length + others.length, total)}
          </span>
        </div>
      )}
      {wanted !== "" && imports.length + others.length === 0 ? <p class="quiet">{t("pickle.nothing")}</p> : null}
      <Imports imports={imports} more={pickle.moreImports} isWhole={wanted === ""} />
      <Findings title="pickle.calls" findings={others.filter(isCall)} more={0} />
      <Findings title="pickle.findings" findings={others.filter((one) => !isCall(one))} more={pickle.moreFindings} />
    </div>
  );
}

function Verdict({ pickle }: { readonly pickle: PickleView }): VNode {
  const t = useText();
  const { verdict, streams } = pickle;
  const words = pickleWords(t, pickle);
  return (
    <section aria-label={t("pickle.verdict")}>
      <p class={verdict === "allowed" ? "pickle-verdict" : "with-icon pickle-verdict"} data-testid="pickle-verdict">
        {verdict === "allowed" ? null : <Icon name="warning" />}
        {words}
      </p>
      <p data-testid="pickle-about">{t(`pickle.about.${verdict}`)}</p>
      <p class="quiet">
        {streams === 0 ? t("pickle.readNone") : streams === 1 ? t("pickle.readOne") : t("pickle.read", streams)}
      </p>
    </section>
  );
}

/** Which file says what; of one file there is nothing to tell apart. */
function Files({ content }: { readonly content: ContentView }): VNode | null {
  const t = useText();
  const files = content.files.filter(({ pickle }) => pickle !== null);
  if (content.files.length < 2 || files.length === 0) return null;
  return (
    <Block title={t("pickle.files")}>
      <ul class="plain" data-testid="pickle-files">
        {files.map(({ path, pickle }) => (
          <li key={path}>
            <code>{path}</code>: {verdictWords(t, pickle ?? "")}
          </li>
        ))}
      </ul>
    </Block>
  );
}

function Imports(props: {
  readonly imports: readonly Import[];
  readonly more: number;
  readonly isWhole: boolean;
}): VNode | null {
  const { imports, more, isWhole } = props;
  const t = useText();
  if (imports.length === 0 && !isWhole) return null;
  return (
    <Block title={t("pickle.imports")}>
      {imports.length === 0 ? <p class="quiet">{t("pickle.noImports")}</p> : null}
      {CLASSES.map((name) => (
        <Group name={name} imports={imports.filter((one) => one.class === name)} key={name} />
      ))}
      {more === 0 ? null : <p class="quiet">{t("pickle.more", more)}</p>}
    </Block>
  );
}

function Group({
  name,
  imports,
}: {
  readonly name: Import["class"];
  readonly imports: readonly Import[];
}): VNode | null {
  const t = useText();
  if (imports.length === 0) return null;
  return (
    <details class="pickle-group" open data-testid={`pickle-${name}`}>
      <summary>{t(`pickle.class.${name}`, imports.length)}</summary>
      <ul class="plain">
        {imports.map((one) => (
          <li key={`${one.module} ${one.name}`}>
            <code>
              {one.module}.{one.name}
            </code>{" "}
            <Place of={one} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Findings(props: {
  readonly title: "pickle.calls" | "pickle.findings";
  readonly findings: readonly Finding[];
  readonly more: number;
}): VNode | null {
  const { title, findings, more } = props;
  const t = useText();
  if (findings.length + more === 0) return null;
  return (
    <Block title={t(title, findings.length + more)}>
      <ul class="plain pickle-list" data-testid={title.replace(".", "-")}>
        {findings.map((one) => (
          <li key={`${one.kind} ${one.member} ${one.offset} ${one.message}`}>
            {one.message} <Place of={one} />
          </li>
        ))}
      </ul>
      {more === 0 ? null : <p class="quiet">{t("pickle.more", more)}</p>}
    </Block>
  );
}

function Place({ of: { offset, member } }: { readonly of: Pick<Finding, "offset" | "member"> }): VNode {
  const { locale } = usePage();
  const t = useText();
  const at = offset.toLocaleString(locale.value);
  return <span class="quiet">{member === null ? t("pickle.where", at) : t("pickle.whereMember", at, member)}</span>;
}

function isCall({ kind }: Finding): boolean {
  return kind === "call" || kind === "change";
}

function fits(wanted: string, ...texts: readonly string[]): boolean {
  return wanted === "" || texts.join(".").toLowerCase().includes(wanted);
}
