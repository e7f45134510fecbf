import { visible } from "../../base/visible";

/** Most characters of a name in a message: a header may hold names of any length. */
const SHOWN = 100;

/** A name as messages show it: in quotes, cut, with unseen characters written out. */
export function quoted(name: string): string {
  return `"${visible(name, SHOWN)}"`;
}
