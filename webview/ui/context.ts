import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { PageState } from "./pageState";
import type { Translate } from "./texts";

/** Gives every component the page's state. */
export const PageContext = createContext<PageState | undefined>(undefined);

/** The page's state. @throws Error outside of the page */
export function usePage(): PageState {
  const page = useContext(PageContext);
  if (!page) throw new Error("This component belongs inside the page.");
  return page;
}

/** The page's texts. */
export function useText(): Translate {
  return usePage().translate.value;
}
