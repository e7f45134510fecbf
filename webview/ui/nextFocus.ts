import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { focusSoon, isFocusLost } from "./focusSoon";

/**
 * Lets the keyboard go on where a pressed button gives way to what it was pressed for: in a new state the focus goes to
 * the first of that state's controls that is there. What changes while the focus is elsewhere takes none.
 * @param next test ids of the controls by state
 */
export function useNextFocus<State extends string>(
  box: RefObject<HTMLElement | null>,
  state: State,
  next: Readonly<Partial<Record<State, readonly string[]>>>,
): void {
  const before = useRef(state);
  // The focus was lost in here, and nothing has taken it since.
  const isOurs = useRef(false);
  if (!isFocusLost()) isOurs.current = false;
  // While this is drawn the page still is what it was.
  const wasInside = isOurs.current || (box.current?.contains(document.activeElement) ?? false);
  useEffect(() => {
    if (before.current !== state && wasInside && isFocusLost()) {
      focusSoon(...(next[state] ?? []));
      isOurs.current = true;
      // What should have taken it may be gone by then, as when work ends at once: the next state's control takes it.
      requestAnimationFrame(() => {
        isOurs.current = isFocusLost();
      });
    }
    before.current = state;
  }, [state]);
}
