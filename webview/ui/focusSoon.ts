/** Puts the focus on the first of these controls that is there once the page has been drawn again. */
export function focusSoon(...testIds: readonly string[]): void {
  focusOnceDrawn(() => {
    const found = testIds.map((testId) => document.querySelector<HTMLElement>(`[data-testid="${testId}"]`));
    return found.find((element) => element !== null);
  });
}

/** Puts the focus on what is found once the page has been drawn, unless the user has put it elsewhere meanwhile. */
export function focusOnceDrawn(find: () => HTMLElement | null | undefined): void {
  const before = document.activeElement;
  requestAnimationFrame(() => {
    if (document.activeElement === before || isFocusLost()) find()?.focus();
  });
}

/** Whether nothing has the focus, as when what had it is gone. */
export function isFocusLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
