import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { HEAT_CELLS, type HeatMapView } from "../../protocol/content";
import type { ErrorView } from "../../protocol/views";
import { usePage, useText } from "../context";
import { failureOf } from "../editState";
import { ErrorBox } from "../errorBox";
import { roundCell } from "../format";
import { Button } from "../kit";
import { colorsOf, heatRange, paintHeat, paintScale } from "./heatColors";
import { planeSize } from "./sliceGrid";
import type { ChosenTensor } from "./tensorsState";

/** Pixels of the legend's scale. */
const SCALE = { width: 160, height: 10 };

/** The plane that is looked at as colors; the grid below has the values. */
export function HeatMap({ chosen }: { readonly chosen: ChosenTensor }): VNode {
  const { peer } = usePage();
  const t = useText();
  const [map, setMap] = useState<HeatMapView | undefined>(undefined);
  const [failure, setFailure] = useState<ErrorView | undefined>(undefined);
  const [tries, setTries] = useState(0);
  const { rows, columns } = planeSize(chosen);
  useEffect(() => {
    setFailure(undefined);
    const abort = new AbortController();
    const sides = { rows: Math.min(rows, HEAT_CELLS), columns: Math.min(columns, HEAT_CELLS) };
    peer
      .request("tensor/heatMap", { tensor: chosen.tensor, view: chosen.view, ...sides }, abort.signal)
      .then(setMap)
      .catch((error) => {
        if (!abort.signal.aborted) setFailure(failureOf(error));
      });
    return () => abort.abort();
  }, [tries]);
  if (failure) {
    return (
      <ErrorBox error={failure} testId="heat-error">
        <Button testId="heat-retry" onClick={() => setTries(tries + 1)}>
          {t("page.retry")}
        </Button>
      </ErrorBox>
    );
  }
  if (!map) {
    return (
      <p class="quiet" role="status">
        {t("heat.reading")}
      </p>
    );
  }
  return <Drawn map={map} rows={rows} columns={columns} />;
}

function Drawn(props: { readonly map: HeatMapView; readonly rows: number; readonly columns: number }): VNode {
  const { map, rows, columns } = props;
  const t = useText();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = useRef<HTMLCanvasElement>(null);
  // A few cells are drawn large, many at one pixel each.
  const side = Math.max(1, Math.min(16, Math.floor(320 / Math.max(map.rows, map.columns, 1))));
  const range = heatRange(map.means);
  const theme = useTheme();
  useLayoutEffect(() => {
    const colors = canvas.current ? colorsOf(canvas.current) : undefined;
    if (!canvas.current || !scale.current || !colors) return;
    paintHeat(canvas.current, map, side, range, colors);
    paintScale(scale.current, range, colors);
  }, [map, theme]);
  const [low, high] = [roundCell(range.low), roundCell(range.high)];
  const without = map.means.filter((mean) => mean === null).length;
  const isScaled = map.rows < rows || map.columns < columns;
  return (
    <figure class="heat" data-testid="heat-map">
      <canvas
        ref={canvas}
        class="heat-cells"
        width={map.columns * side}
        height={map.rows * side}
        role="img"
        aria-label={t("heat.summary", rows, columns, low, high)}
      />
      <figcaption class="heat-legend">
        <span class="code">{low}</span>
        <span aria-hidden="true">
          <canvas ref={scale} class="heat-scale" width={SCALE.width} height={SCALE.height} />
        </span>
        <span class="code">{high}</span>
        {without === 0 ? null : (
          <span class="with-icon-text">
            <span class="heat-none" aria-hidden="true" />
            {t("heat.none", without)}
          </span>
        )}
        {isScaled ? <span class="quiet">{t("heat.scaled", map.rows, map.columns)}</span> : null}
        {map.sampled ? <span class="quiet">{t("heat.sampled")}</span> : null}
      </figcaption>
    </figure>
  );
}

/** Changes when the color theme does. */
function useTheme(): number {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme((old) => old + 1));
    observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-vscode-theme-id"] });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
    return () => observer.disconnect();
  }, []);
  return theme;
}
