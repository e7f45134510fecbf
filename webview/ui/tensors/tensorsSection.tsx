import type { VNode } from "preact";
import { useText } from "../context";

/** The tensors of the page's subject: what there is, and the values of one of them. */
export function TensorsSection(): VNode {
  const t = useText();
  return <p class="quiet">{t("content.loading")}</p>;
}
