import type { VNode } from "preact";
import type { FactDifferenceView, FactView } from "../protocol/compare";
import { usePage, useText } from "./context";
import { formatWords, sizeWords } from "./formatWords";
import { countWords, type Translate } from "./texts";

/** What two sides say differently of themselves, apart from their tensors. */
export function CompareFacts(props: {
  readonly facts: readonly FactDifferenceView[];
  /** Those that are not listed. */
  readonly more: number;
}): VNode {
  const { facts, more } = props;
  const { locale } = usePage();
  const t = useText();
  return (
    <section class="compare-said">
      <h2>{t("compare.facts")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label={t("compare.facts")}>
        <table class="table compare-facts" data-testid="compare-facts">
          <thead>
            <tr>
              <th scope="col">{t("compare.fact")}</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {facts.map((fact) => (
              <tr key={`${fact.part} ${fact.key}`} data-change={fact.change}>
                <th scope="row">{factName(t, fact)}</th>
                <td>{factWords(t, locale.value, fact, fact.a)}</td>
                <td>{factWords(t, locale.value, fact, fact.b)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more === 0 ? null : <p class="quiet">{countWords(t, locale.value, "compare.moreFacts", more)}</p>}
    </section>
  );
}

function factName(t: Translate, { part, key }: FactDifferenceView): string {
  if (part === "model" || part === "context") return key;
  // Two files that are compared by themselves have other names.
  return part === "files" && key === "content" ? t("compare.fileContent") : t(`compare.part.${part}`, key);
}

function factWords(t: Translate, locale: string, { part }: FactDifferenceView, value: FactView | null): VNode | string {
  if (value === null) return <span class="quiet">{t("compare.none")}</span>;
  if (typeof value === "string") return part === "format" ? formatWords(t, value) : value;
  const { bytes, format, sha256 } = value;
  return [
    ...(format === "unknown" ? [] : [formatWords(t, format)]),
    sizeWords(t, locale, bytes),
    ...(sha256 === undefined ? [] : [`sha256 ${sha256}`]),
  ].join(", ");
}
