import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { focusSoon, isFocusLost } from "./focusSoon";

/**
 * Lets the keyboard go on where a pressed button gives way to what it was pressed for: in a new state the focus goes to
 * the first of that state's controls that is there. What changes while the focus is elsewhere takes none.
 * @param next test ids of the controls by state
 */
export function useNextFocus<State extends string>(
  box: RefObject<HTMLElement>,
  state: State,
  next: Readonly<Partial<Record<State, readonly string[]>>>,
): void {
  const before = useRef(state);
  // While this is drawn the page still is what it was.
  const wasInside = box.current?.contains(document.activeElement) ?? false;
  useEffect(() => {
    if (before.current !== state && wasInside && isFocusLost()) focusSoon(...(next[state] ?? []));
    before.current = state;
  }, [state]);
}
