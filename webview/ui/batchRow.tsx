import type { VNode } from "preact";
import { useText } from "./context";
import { Checkbox } from "./kit";
import { showWhatCounts } from "./whatCounts";

/** Whether a method takes batches, and along which axes. */
export interface Batching {
  readonly batchable: boolean;
  readonly batchDim: [number, number];
}

/** The controls of a method's batching. */
export function BatchRow(props: {
  /** Begins the test ids: `save` or `edit`. */
  readonly prefix: string;
  /** The method. */
  readonly name: string;
  readonly value: Batching;
  readonly onChange: (value: Batching) => void;
}): VNode {
  const { prefix, name, value, onChange } = props;
  const { batchable, batchDim } = value;
  const t = useText();
  return (
    <div class="row">
      <Checkbox
        testId={`${prefix}-batchable-${name}`}
        label={t("save.batchable")}
        checked={batchable}
        onChange={(checked) => onChange({ batchable: checked, batchDim })}
      />
      <Axis
        testId={`${prefix}-axis-in-${name}`}
        label={t("save.axisIn")}
        value={batchDim[0]}
        onChange={(axis) => onChange({ batchable, batchDim: [axis, batchDim[1]] })}
      />
      <Axis
        testId={`${prefix}-axis-out-${name}`}
        label={t("save.axisOut")}
        value={batchDim[1]}
        onChange={(axis) => onChange({ batchable, batchDim: [batchDim[0], axis] })}
      />
    </div>
  );
}

function Axis(props: {
  readonly testId: string;
  readonly label: string;
  readonly value: number;
  readonly onChange: (axis: number) => void;
}): VNode {
  const { testId, label, value, onChange } = props;
  return (
    <label class="dim" onFocusOut={showWhatCounts(value)}>
      <span class="quiet">{label}</span>
      <input
        type="number"
        min={0}
        max={31}
        value={value}
        data-testid={testId}
        onInput={({ currentTarget: { valueAsNumber } }) => {
          if (Number.isInteger(valueAsNumber) && valueAsNumber >= 0 && valueAsNumber <= 31) onChange(valueAsNumber);
        }}
      />
    </label>
  );
}
