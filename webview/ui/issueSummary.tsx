import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formLayout } from "../protocol/drafts";
import type { ErrorView, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import type { CellFinding } from "./formFindings";
import { Icon } from "./icons";
import type { Argument } from "./openArguments";
import type { TestState } from "./testState";
import type { Translate } from "./texts";

/** What is wrong with the inputs, in one place; takes the focus when it kept a run from starting. */
export function IssueSummary(): VNode {
  const { test } = usePage();
  const t = useText();
  const box = useRef<HTMLDivElement>(null);
  const heldBack = test.heldBack.value;
  useEffect(() => {
    if (heldBack > test.heldBackSeen) box.current?.focus();
    test.heldBackSeen = heldBack;
  }, [heldBack]);
  const lines = summaryLines(test, t);
  return (
    <div role="alert" ref={box} tabIndex={-1} data-testid="issues" class={lines.length === 0 ? "hidden" : "notice"}>
      {lines.length === 0 ? null : (
        <>
          <Icon name="warning" />
          <div>
            <p class="error-title">{lines.length === 1 ? t("test.issues.one") : t("test.issues.many", lines.length)}</p>
            <ul class="plain">
              {lines.map(({ name, message }, at) => (
                <li key={at}>
                  <code>{name}</code>: {message}
                </li>
              ))}
            </ul>
          </div>
        </>
      )}
    </div>
  );
}

interface Line {
  readonly name: string;
  readonly message: string;
}

/** A line for each input that cannot be sent, and one for whatever the host says of a name that has no card. */
function summaryLines(test: TestState, t: Translate): Line[] {
  const specs = test.inputs.value;
  const { value: args } = test.args;
  const named = args.flatMap((one, at) => {
    const message = argumentMessage(test, one, t);
    return message === "" ? [] : [{ name: one.name.trim() || t("args.which", at + 1), message }];
  });
  const values = specs.flatMap((spec) => {
    const message = test.troubled.value.has(spec.name) ? inputMessage(test, spec, t) : "";
    return message === "" ? [] : [{ name: spec.name, message }];
  });
  const others = test.issues.value.filter(({ input }) => !specs.some(({ name }) => name === input));
  // What the host says of a gap between positions stands at the field already.
  const loose = named.length > 0 ? [] : others;
  return [...named, ...values, ...loose.map(({ input, error }) => ({ name: input, message: words(error, input) }))];
}

/** What is wrong with an argument's name or shape, in words; empty when nothing is. */
export function argumentMessage(test: TestState, one: Argument, t: Translate): string {
  const kind = test.argumentFindings.value.get(one.id);
  const name = one.name.trim();
  if (kind === undefined) return "";
  if (kind === "shape") return t("args.issue.shape", one.shape);
  return t(`args.issue.${kind}`, kind === "gap" ? Number(name) - 1 : name);
}

/** What is wrong with one input's values, in words; empty when nothing is known to be. */
export function inputMessage(test: TestState, spec: SpecView, t: Translate): string {
  const [finding] = test.formFindings.value[spec.name] ?? [];
  if (finding) return cellMessage(spec, test.drafts.value?.drafts[spec.name]?.dims ?? [], finding, t);
  const issue = test.issues.value.find(({ input }) => input === spec.name);
  return issue ? words(issue.error, spec.name) : "";
}

function words({ message, remedy }: ErrorView, name: string): string {
  return [withoutName(message, name), remedy].filter((part) => part !== null).join(" ");
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
