import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { GraphView } from "../../protocol/graph";
import { usePage, useText } from "../context";
import { ErrorBox } from "../errorBox";
import { Button, TextField } from "../kit";
import { graphName } from "./graphColumns";
import { GraphTable } from "./graphTable";
import { NodePane } from "./nodePane";

/** Operators that are offered before all of them are asked for. */
const FIRST_OPS = 12;
/** A search begins this long after the last key. */
const TYPING_MS = 150;
const TABLES = ["nodes", "values", "graphs"] as const;

/** The graph of an ONNX model: where one is, which operators there are, and its rows. */
export function GraphSection(): VNode {
  const { graph } = usePage();
  const t = useText();
  useEffect(() => graph.open(), []);
  const view = graph.view.value;
  if (view.state === "loading") {
    return (
      <p class="quiet" role="status">
        {t("graph.loading")}
      </p>
    );
  }
  if (view.state === "failed") {
    return (
      <ErrorBox error={view.error} testId="graph-error">
        <Button testId="graph-retry" onClick={() => graph.renew()}>
          {t("page.retry")}
        </Button>
      </ErrorBox>
    );
  }
  return <Graph view={view.value} />;
}

function Graph({ view }: { readonly view: GraphView }): VNode {
  const { graph } = usePage();
  const t = useText();
  const { table } = graph.shown.value;
  return (
    <div class="graph stack" data-testid="graph">
      <Crumbs view={view} />
      {view.docString === "" ? null : <p class="notes quiet">{view.docString}</p>}
      <Bar view={view} />
      {table === "nodes" ? <Ops view={view} /> : null}
      <div class="graph-split">
        <Rows view={view} />
        {table === "nodes" ? <NodePane /> : null}
      </div>
      {view.graphs > 1 ? <p class="quiet">{t("graph.keys")}</p> : null}
    </div>
  );
}

/** Where one is, from the main graph on; every graph around this one can be gone back to. */
function Crumbs({ view }: { readonly view: GraphView }): VNode {
  const { graph, peer } = usePage();
  const t = useText();
  // How it fails meets the user outside the page.
  const openNetron = (): void => void peer.request("graph/openNetron", {}).catch(() => undefined);
  return (
    <div class="row graph-where">
      <nav aria-label={t("graph.where")} data-testid="graph-crumbs">
        <ol class="crumbs plain">
          {view.path.map((row, index) => (
            <li key={row.graph}>
              {index === view.path.length - 1 ? (
                <span class="code" aria-current="page">
                  {graphName(row, t)}
                </span>
              ) : (
                <button
                  type="button"
                  class="link code"
                  data-testid="graph-crumb"
                  onClick={() => graph.enter(row.graph)}
                >
                  {graphName(row, t)}
                </button>
              )}
            </li>
          ))}
        </ol>
      </nav>
      {view.owner ? <span class="quiet">{t("graph.inside", view.owner.op, view.owner.attribute)}</span> : null}
      {view.hasNetron ? (
        <Button testId="graph-netron" onClick={openNetron}>
          {t("graph.netron")}
        </Button>
      ) : null}
    </div>
  );
}

function Bar({ view }: { readonly view: GraphView }): VNode {
  const { graph, locale } = usePage();
  const t = useText();
  const { table, query } = graph.shown.value;
  const { total } = graph.rows.value;
  const [typed, setTyped] = useState(query);
  useEffect(() => setTyped(query), [query, view.graph, table]);
  useEffect(() => {
    if (typed === query) return;
    const timer = setTimeout(() => graph.show({ query: typed }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const counts = { nodes: view.nodes, values: view.values, graphs: view.graphs };
  const number = (count: number): string => count.toLocaleString(locale.value);
  const all = counts[table];
  return (
    <div class="row graph-bar">
      <fieldset class="graph-tables row" aria-label={t("graph.tables")}>
        {TABLES.filter((one) => one !== "graphs" || view.graphs > 1).map((one) => (
          <button
            type="button"
            class="badge toggle"
            key={one}
            aria-pressed={one === table}
            data-testid={`graph-table-${one}`}
            onClick={() => graph.show({ table: one, query: "", op: null })}
          >
            {t(`graph.table.${one}`)} <span class="quiet">{number(counts[one])}</span>
          </button>
        ))}
      </fieldset>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it hears a key of the field inside it */}
      <div
        class="graph-search"
        onKeyDown={({ key }) => {
          if (key === "ArrowDown") graph.focusRows();
        }}
      >
        <TextField
          testId="graph-search"
          label={t("graph.search")}
          hideLabel
          placeholder={t(`graph.search.${table}`)}
          value={typed}
          onInput={setTyped}
        />
      </div>
      <span class="quiet" role="status" data-testid="graph-count">
        {total === undefined ? t("graph.searching") : total === all ? "" : t("graph.some", number(total), number(all))}
      </span>
    </div>
  );
}

/** The operators of this graph with their counts; each shows its nodes alone. */
function Ops({ view }: { readonly view: GraphView }): VNode | null {
  const { graph, locale } = usePage();
  const t = useText();
  const [isAll, setAll] = useState(false);
  const { op: chosen } = graph.shown.value;
  const first = view.ops.filter(({ op }, index) => isAll || index < FIRST_OPS || op === chosen);
  const rest = view.ops.length - first.length;
  if (view.ops.length === 0) return null;
  return (
    <fieldset class="badges" aria-label={t("graph.ops")} data-testid="graph-ops">
      {first.map(({ op, count }) => (
        <button
          type="button"
          class="badge toggle"
          key={op}
          aria-pressed={op === chosen}
          data-testid="graph-op"
          onClick={() => graph.show({ op: op === chosen ? null : op })}
        >
          {op} <span class="quiet">{count.toLocaleString(locale.value)}</span>
        </button>
      ))}
      {rest > 0 ? (
        <button type="button" class="link" data-testid="graph-ops-more" onClick={() => setAll(true)}>
          {t("graph.moreOps", rest)}
        </button>
      ) : null}
    </fieldset>
  );
}

function Rows({ view }: { readonly view: GraphView }): VNode {
  const { graph } = usePage();
  const t = useText();
  const { total, error } = graph.rows.value;
  const { table, query, op } = graph.shown.value;
  if (error) return <ErrorBox error={error} testId="graph-rows-error" />;
  if (total === undefined) return <p class="quiet graph-none">{t("graph.searching")}</p>;
  if (total === 0) {
    const isFiltered = query !== "" || op !== null;
    return (
      <div class="graph-none" data-testid="graph-none">
        <p class="quiet">{t(isFiltered ? "graph.noMatch" : `graph.empty.${table}`)}</p>
        {isFiltered ? (
          <Button testId="graph-clear" onClick={() => graph.show({ query: "", op: null })}>
            {t("graph.clear")}
          </Button>
        ) : null}
      </div>
    );
  }
  const label = table === "graphs" ? t("graph.table.graphs") : t(`graph.${table}Of`, graphName(view, t));
  return <GraphTable table={table} total={total} label={label} />;
}
