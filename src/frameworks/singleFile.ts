import { resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { FrameworkDraft } from "./adapter";

/**
 * A draft whose model is one file under a fixed name.
 * @param rule what is said when there are more files or none
 * @throws ModelbenchError `usage`
 */
export function draftSingleFile(
  files: readonly string[],
  rule: string,
  { file, draft }: { readonly file: string; readonly draft: FrameworkDraft["draft"] },
): FrameworkDraft {
  const [source, ...more] = files;
  if (source === undefined || more.length > 0) throw new ModelbenchError("usage", rule);
  return { draft, files: [{ from: resolve(source), to: file }] };
}
