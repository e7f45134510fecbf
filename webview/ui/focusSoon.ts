/** Puts the focus on the first of these controls that is there once the page has been drawn again. */
export function focusSoon(...testIds: readonly string[]): void {
  requestAnimationFrame(() => {
    const found = testIds.map((testId) => document.querySelector<HTMLElement>(`[data-testid="${testId}"]`));
    found.find((element) => element !== null)?.focus();
  });
}
