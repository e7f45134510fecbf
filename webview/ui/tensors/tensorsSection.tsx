import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { usePage, useText } from "../context";
import { ErrorBox } from "../errorBox";
import { formatBytes } from "../format";
import { Button, Checkbox, Dropdown, TextField } from "../kit";
import { TensorPane } from "./tensorPane";
import { firstExpanded, matching, separatorOf, type TensorOrder, tensorTree, treeLines } from "./tensorTree";
import { TensorTreeView } from "./tensorTreeView";

const ORDERS: readonly TensorOrder[] = ["file", "name", "size"];

/** The tensors of the page's subject: what there is, and the values of one of them. */
export function TensorsSection(): VNode {
  const { content, tensors } = usePage();
  const t = useText();
  useEffect(() => tensors.open(), []);
  const summary = content.summary.value;
  const chosen = tensors.chosen.value;
  const lost = tensors.lost.value;
  const total = summary.state === "ready" ? summary.value.tensorBytes : 0;
  return (
    <div class="tensors" data-testid="tensors">
      <section class="tensors-list" aria-label={t("tensors.list")}>
        <TensorList totalBytes={total} />
      </section>
      <section class="tensors-pane" aria-label={t("tensors.values")}>
        {lost === undefined ? null : (
          <p class="quiet" role="status" data-testid="tensor-lost">
            {t("tensors.lost", lost)}
          </p>
        )}
        {chosen ? (
          <TensorPane chosen={chosen} key={`${chosen.tensor} ${tensors.revision.value}`} />
        ) : lost === undefined ? (
          <p class="quiet">{t("tensors.none")}</p>
        ) : null}
      </section>
    </div>
  );
}

function TensorList({ totalBytes }: { readonly totalBytes: number }): VNode {
  const { tensors } = usePage();
  const t = useText();
  const rows = tensors.rows.value;
  const query = tensors.query.value;
  const isFlat = tensors.isFlat.value;
  const order = tensors.order.value;
  const found = useMemo(() => matching(rows, query), [rows, query]);
  const roots = useMemo(() => tensorTree(rows, found, order, isFlat), [rows, found, order, isFlat]);
  const first = useMemo(() => firstExpanded(roots), [roots]);
  const overrides = tensors.expanded.value;
  const isSearch = query.trim() !== "";
  const lines = useMemo(
    () => treeLines(roots, ({ id }) => overrides.get(id) ?? (isSearch || first.has(id)), separatorOf(rows)),
    [roots, overrides, isSearch, first],
  );
  return (
    <div class="stack-small">
      <ListBar found={found.length} />
      {tensors.failure.value ? (
        <ErrorBox error={tensors.failure.value} testId="tensors-error">
          <Button testId="tensors-retry" onClick={() => tensors.renew()}>
            {t("page.retry")}
          </Button>
        </ErrorBox>
      ) : null}
      {lines.length === 0 && tensors.isComplete.value ? (
        <p class="quiet" data-testid="tensors-nothing">
          {t("tensors.nothing")}
        </p>
      ) : null}
      {lines.length === 0 ? null : <TensorTreeView lines={lines} totalBytes={totalBytes} />}
    </div>
  );
}

/** Search, order, and how many of how many are listed. */
function ListBar({ found }: { readonly found: number }): VNode {
  const { content, locale, tensors } = usePage();
  const t = useText();
  const summary = content.summary.value;
  const view = summary.state === "ready" ? summary.value : undefined;
  const count = new Intl.NumberFormat(locale.value);
  const listed = tensors.rows.value.length;
  const all = count.format(Math.max(view?.tensorCount ?? 0, listed));
  return (
    <div class="stack-small tensors-bar">
      <TextField
        testId="tensors-search"
        className="tensors-search"
        label={t("tensors.search")}
        hideLabel
        placeholder={t("tensors.search")}
        value={tensors.query.value}
        onInput={(text) => {
          tensors.query.value = text;
          tensors.expanded.value = new Map();
        }}
      />
      <div class="row">
        <Dropdown
          testId="tensors-order"
          label={t("tensors.order")}
          options={ORDERS.map((order) => ({ value: order, text: t(`tensors.order.${order}`) }))}
          value={tensors.order.value}
          onChange={(value) => {
            const order = ORDERS.find((known) => known === value);
            if (order) tensors.order.value = order;
          }}
        />
        <Checkbox
          testId="tensors-flat"
          label={t("tensors.flat")}
          checked={tensors.isFlat.value}
          onChange={(isFlat) => tensors.showFlat(isFlat)}
        />
      </div>
      <p class="quiet" role="status" data-testid="tensors-count">
        {tensors.isComplete.value || listed === 0
          ? t("tensors.count", count.format(found), all)
          : t("tensors.listing", count.format(listed), all)}
        {view && tensors.query.value.trim() === ""
          ? ` · ${t("tensors.parameters", count.format(view.parameters))} · ${formatBytes(view.tensorBytes)}`
          : null}
      </p>
    </div>
  );
}
