import type { SaveInput, SaveIssue } from "../../../webview/protocol/views";
import { parseExactJson } from "../../formats/jsonExact";
import type { Localize } from "../services";

/** Rows of a form: key and value as typed. */
type Entries = SaveInput["labels"];

/** What is wrong with the keys of rows: empty ones beside a value, and repeated ones. */
export function keyIssues(t: Localize, field: string, entries: Entries): SaveIssue[] {
  return entries.flatMap(({ key, value }, index) => {
    if (key === "") return value === "" ? [] : [{ field: `${field}.${index}`, message: t("The key is empty.") }];
    const isRepeated = entries.findIndex((entry) => entry.key === key) < index;
    return isRepeated ? [{ field: `${field}.${index}`, message: t("The key {0} is there twice.", key) }] : [];
  });
}

/** What is wrong with rows whose values are JSON texts. */
export function jsonIssues(field: string, entries: Entries): SaveIssue[] {
  return entries.flatMap(({ key, value }, index) => {
    if (key === "") return [];
    try {
      parseExactJson(value);
      return [];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return [{ field: `${field}.${index}`, message: `${key}: ${reason}` }];
    }
  });
}
