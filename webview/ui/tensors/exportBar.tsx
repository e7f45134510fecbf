import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ViewRange } from "../../protocol/content";
import type { ErrorView } from "../../protocol/views";
import { usePage, useText } from "../context";
import { failureOf } from "../editState";
import { ErrorBox } from "../errorBox";
import { formatBytes } from "../format";
import { Button, Dropdown } from "../kit";
import { useNextFocus } from "../nextFocus";
import { planeSize } from "./sliceGrid";
import type { ChosenTensor } from "./tensorsState";

const SCOPES = ["selection", "slice", "tensor"] as const;
type Scope = (typeof SCOPES)[number];
const FORMATS = ["csv", "json", "npy"] as const;
type Format = (typeof FORMATS)[number];

type Work =
  | { readonly state: "idle" }
  | { readonly state: "busy"; readonly abort: AbortController }
  | { readonly state: "done"; readonly text: string }
  | { readonly state: "failed"; readonly error: ErrorView };

/** Takes values out: what of the tensor, in which format, to the clipboard or to a file. */
export function ExportBar(props: {
  readonly chosen: ChosenTensor;
  readonly selection: ViewRange | undefined;
  readonly exporting: Exporting;
}): VNode {
  const { chosen, selection, exporting } = props;
  const t = useText();
  const cells = selection ? selection.rowCount * selection.columnCount : 0;
  const [picked, setScope] = useState<Scope | undefined>(undefined);
  const [format, setFormat] = useState<Format>("csv");
  const { work, copy, save } = exporting;
  // Who selects several cells means them, until something else was chosen.
  useEffect(() => setScope(undefined), [cells > 1]);
  const isPlane = chosen.row.shape.length <= 2;
  const scopes = SCOPES.filter((scope) => (scope === "selection" ? cells > 1 : scope !== "slice" || !isPlane));
  const usual = cells > 1 ? "selection" : isPlane ? "tensor" : "slice";
  const scope = picked !== undefined && scopes.includes(picked) ? picked : usual;
  const { rows, columns } = planeSize(chosen);
  const sizeOf = (of: Scope): string => {
    if (of === "selection" && selection) return `${selection.rowCount} × ${selection.columnCount}`;
    return of === "slice" ? `${rows} × ${columns}` : chosen.row.shape.join(" × ");
  };
  const range = scope === "selection" && selection ? selection : whole({ rows, columns });
  const isBusy = work.state === "busy";
  const box = useRef<HTMLDivElement>(null);
  const pressed = useRef("export-save");
  const again = [pressed.current];
  useNextFocus(box, work.state, { busy: ["export-cancel"], idle: again, done: again, failed: again });
  return (
    <div class="stack-small" data-testid="export" ref={box}>
      <div class="row">
        <Dropdown
          testId="export-scope"
          label={t("export.scope")}
          options={scopes.map((of) => ({ value: of, text: t(`export.${of}`) }))}
          value={scope}
          onChange={(value) => setScope(SCOPES.find((known) => known === value))}
        />
        <span class="quiet number" data-testid="export-size">
          {sizeOf(scope)}
        </span>
        <Dropdown
          testId="export-format"
          label={t("export.format")}
          options={FORMATS.map((of) => ({ value: of, text: of.toUpperCase() }))}
          value={format}
          onChange={(value) => setFormat(FORMATS.find((known) => known === value) ?? "csv")}
        />
        <Button
          testId="export-copy"
          disabled={isBusy || format === "npy" || (scope === "tensor" && !isPlane)}
          onClick={() => {
            pressed.current = "export-copy";
            if (format !== "npy") void copy(range, format);
          }}
        >
          {t("export.copy")}
        </Button>
        <Button
          testId="export-save"
          disabled={isBusy}
          onClick={() => {
            pressed.current = "export-save";
            void save(scope === "selection" ? range : undefined, scope !== "tensor", format);
          }}
        >
          {t("export.save")}
        </Button>
        {work.state === "busy" ? (
          <Button testId="export-cancel" onClick={() => work.abort.abort()}>
            {t("test.cancel")}
          </Button>
        ) : null}
      </div>
      <p class="quiet" aria-live="polite" data-testid="export-done">
        {work.state === "done" ? work.text : isBusy ? <Progress tensor={chosen.tensor} /> : null}
      </p>
      {work.state === "failed" ? <ErrorBox error={work.error} testId="export-error" /> : null}
    </div>
  );
}

function Progress({ tensor }: { readonly tensor: number }): VNode {
  const { content } = usePage();
  const t = useText();
  const progress = content.progress.value;
  const isOurs = progress?.tensor === tensor && progress.work === "export";
  return <>{isOurs ? t("export.writing", formatBytes(progress.doneBytes)) : t("export.working")}</>;
}

/** Copying and exporting of one tensor: one at a time, with what became of it. */
export interface Exporting {
  readonly work: Work;
  copy(range: ViewRange, format: "csv" | "json"): Promise<void>;
  save(range: ViewRange | undefined, isView: boolean, format: Format): Promise<void>;
}

/** Copies and exports values of a tensor as it is looked at. */
export function useExport(chosen: ChosenTensor): Exporting {
  const { peer } = usePage();
  const t = useText();
  const [work, setWork] = useState<Work>({ state: "idle" });
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  useEffect(() => setWork({ state: "idle" }), [chosen.view]);
  const run = async (what: (signal: AbortSignal) => Promise<string>): Promise<void> => {
    const abort = new AbortController();
    running.current = abort;
    setWork({ state: "busy", abort });
    const next = await what(abort.signal).then(
      (text): Work => (text === "" ? { state: "idle" } : { state: "done", text }),
      (error): Work => {
        const failure = failureOf(error);
        return failure.code === "cancelled" ? { state: "idle" } : { state: "failed", error: failure };
      },
    );
    if (running.current === abort) setWork(next);
  };
  const { tensor, view } = chosen;
  return {
    work,
    copy: (range, format) =>
      run(async (signal) => {
        const { characters } = await peer.request("tensor/copy", { tensor, view, range, format }, signal);
        return t("export.copied", characters);
      }),
    save: (range, isView, format) =>
      run(async (signal) => {
        const input = { tensor, view: isView ? view : null, range: range ?? null, format };
        const { saved } = await peer.request("tensor/export", input, signal);
        return saved ? t("export.saved", saved.name, formatBytes(saved.bytes)) : "";
      }),
  };
}

function whole({ rows, columns }: { readonly rows: number; readonly columns: number }): ViewRange {
  return { rowStart: 0, rowCount: rows, columnStart: 0, columnCount: columns };
}
