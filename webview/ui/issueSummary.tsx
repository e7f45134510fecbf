import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formLayout } from "../protocol/drafts";
import type { MethodView, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import type { CellFinding } from "./formFindings";
import { Icon } from "./icons";
import type { TestState } from "./testState";
import type { Translate } from "./texts";

/** What is wrong with the inputs, in one place; takes the focus when it kept a run from starting. */
export function IssueSummary({ method }: { readonly method: MethodView }): VNode {
  const { test } = usePage();
  const t = useText();
  const box = useRef<HTMLDivElement>(null);
  const heldBack = test.heldBack.value;
  useEffect(() => {
    if (heldBack > 0) box.current?.focus();
  }, [heldBack]);
  const troubled = method.inputs.filter(({ name }) => test.troubled.value.has(name));
  return (
    <div role="alert" ref={box} tabIndex={-1} data-testid="issues" class={troubled.length === 0 ? "hidden" : "notice"}>
      {troubled.length === 0 ? null : (
        <>
          <Icon name="warning" />
          <div>
            <p class="error-title">
              {troubled.length === 1 ? t("test.issues.one") : t("test.issues.many", troubled.length)}
            </p>
            <ul class="plain">
              {troubled.map((spec) => (
                <li key={spec.name}>
                  <code>{spec.name}</code>: {inputMessage(test, spec, t)}
                </li>
              ))}
            </ul>
          </div>
        </>
      )}
    </div>
  );
}

/** What is wrong with one input, in words; empty when nothing is known to be. */
export function inputMessage(test: TestState, spec: SpecView, t: Translate): string {
  const [finding] = test.formFindings.value[spec.name] ?? [];
  if (finding) return cellMessage(spec, test.drafts.value?.drafts[spec.name]?.dims ?? [], finding, t);
  const issue = test.issues.value.find(({ input }) => input === spec.name);
  if (!issue) return "";
  return [withoutName(issue.error.message, spec.name), issue.error.remedy].filter((part) => part !== null).join(" ");
}

/** The message without the input's name before it, which stands beside it already. */
function withoutName(message: string, name: string): string {
  const prefix = [`\`${name}\`: `, `${name}: `].find((known) => message.startsWith(known)) ?? "";
  return message.slice(prefix.length);
}

function cellMessage(spec: SpecView, dims: readonly number[], finding: CellFinding, t: Translate): string {
  const what =
    finding.kind === "range"
      ? t("cell.range", finding.text.trim(), spec.dtype ?? "")
      : t(`cell.${finding.kind}`, finding.text);
  if (dims.length === 0) return what;
  const { columns } = formLayout(spec, dims);
  return t("cell.where", Math.floor(finding.index / columns) + 1, (finding.index % columns) + 1, what);
}
