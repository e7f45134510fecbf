import type { ModelView } from "../protocol/views";

/** Whether nothing but the folder is known, because model.yaml cannot be read: zero and none would be untrue. */
export function isUnread({ broken, files }: ModelView): boolean {
  return broken !== null && files.length === 0;
}
