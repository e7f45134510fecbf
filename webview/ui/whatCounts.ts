/**
 * For `onFocusOut` around the field of a number: what was typed last may be none that is taken, and a field that is left
 * shows the one that counts.
 */
export function showWhatCounts(value: number): (event: FocusEvent) => void {
  return ({ target }) => {
    if (target instanceof HTMLElement && "value" in target) target.value = String(value);
  };
}
