import { visible } from "../base/visible";

/** No notification shows more. */
const LONGEST = 4_000;

/**
 * Words for a notification, which shows one line and makes links of `[words](target)`, of commands, too: what a model
 * or the name of a file says must be neither a link nor hidden.
 */
export function notificationText(text: string): string {
  return visible(text.replace(/\s+/g, " "), LONGEST).replaceAll("](", "] (");
}
