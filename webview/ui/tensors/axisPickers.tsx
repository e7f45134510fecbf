import type { VNode } from "preact";
import type { TensorView } from "../../protocol/content";
import { usePage, useText } from "../context";
import { Dropdown } from "../kit";
import { showWhatCounts } from "../whatCounts";
import type { ChosenTensor } from "./tensorsState";

/** Which axes are rows and columns, and an index for each of the others. */
export function AxisPickers({ chosen }: { readonly chosen: ChosenTensor }): VNode | null {
  const { tensors } = usePage();
  const t = useText();
  const { view, row } = chosen;
  const { rowAxis, columnAxis, fixed } = view;
  if (rowAxis === null || columnAxis === null) return null;
  const set = (next: Partial<TensorView>): void => tensors.look({ ...view, ...next });
  // Choosing the axis that the other one has exchanges them.
  const setRows = (axis: number): void =>
    set({ rowAxis: axis, columnAxis: axis === columnAxis ? rowAxis : columnAxis });
  const setColumns = (axis: number): void =>
    set({ columnAxis: axis, rowAxis: axis === rowAxis ? columnAxis : rowAxis });
  const others = row.shape.map((_, axis) => axis).filter((axis) => axis !== rowAxis && axis !== columnAxis);
  return (
    <fieldset class="axes" aria-label={t("axes.label")} data-testid="tensor-axes">
      <div class="row">
        <AxisDropdown name="rows" shape={row.shape} axis={rowAxis} onChange={setRows} />
        <AxisDropdown name="columns" shape={row.shape} axis={columnAxis} onChange={setColumns} />
      </div>
      {others.map((axis) => (
        <AxisIndex
          key={axis}
          axis={axis}
          size={row.shape[axis] ?? 1}
          index={fixed[axis] ?? 0}
          onChange={(index) => set({ fixed: fixed.map((old, at) => (at === axis ? index : old)) })}
        />
      ))}
    </fieldset>
  );
}

function AxisDropdown(props: {
  readonly name: "rows" | "columns";
  readonly shape: readonly number[];
  readonly axis: number;
  readonly onChange: (axis: number) => void;
}): VNode {
  const { name, shape, axis, onChange } = props;
  const t = useText();
  const label = t(`axes.${name}`);
  return (
    <div class="labelled-beside">
      <span aria-hidden="true">{label}</span>
      <Dropdown
        testId={`axis-${name}`}
        label={label}
        options={shape.map((size, at) => ({ value: String(at), text: t("axes.axis", at, size) }))}
        value={String(axis)}
        onChange={(value) => onChange(Number(value))}
      />
    </div>
  );
}

function AxisIndex(props: {
  readonly axis: number;
  readonly size: number;
  readonly index: number;
  readonly onChange: (index: number) => void;
}): VNode {
  const { axis, size, index, onChange } = props;
  const t = useText();
  const take = (value: number): void => {
    if (Number.isInteger(value) && value >= 0 && value < size && value !== index) onChange(value);
  };
  return (
    <div class="axis-index">
      <span class="quiet" aria-hidden="true">
        {t("input.axis", axis)}
      </span>
      <input
        type="range"
        min={0}
        max={size - 1}
        value={index}
        disabled={size === 1}
        aria-label={t("axes.index", axis, size - 1)}
        data-testid={`axis-${axis}-slider`}
        onInput={({ currentTarget }) => take(currentTarget.valueAsNumber)}
      />
      <input
        type="number"
        min={0}
        max={size - 1}
        value={index}
        disabled={size === 1}
        aria-label={t("axes.number", axis, size - 1)}
        data-testid={`axis-${axis}-number`}
        onInput={({ currentTarget }) => take(currentTarget.valueAsNumber)}
        onFocusOut={showWhatCounts(index)}
      />
      <span class="quiet">{t("axes.of", size - 1)}</span>
    </div>
  );
}
