import { type FileCommand, MEMBER_TENSORS } from "../../../webview/protocol/file";
import type { Handlers } from "../../../webview/protocol/hostPeer";
import type { Ui } from "../services";
import { tensorRows } from "./contentView";
import type { FileDocument } from "./fileDocument";

/** The requests of a page that shows a file, but those about its content. */
export type FileHandlers = Pick<Handlers, Extract<keyof Handlers, `${"file" | "archive" | "text"}/${string}`>>;

/** What the answers are made from. */
export interface FileHandlersPort {
  readonly document: FileDocument;
  readonly ui: Pick<Ui, "copy">;
  /** Runs a command of the extension; its failures meet the user outside the page. */
  command(command: FileCommand, path: string): Promise<void>;
}

/** Answers of the page of one document. */
export function fileHandlers({ document, ui, command }: FileHandlersPort): FileHandlers {
  const { look } = document;
  return {
    "text/copy": async ({ text }) => {
      await ui.copy(text);
      return null;
    },
    "file/info": () => document.looked(),
    "file/command": async ({ command: name }) => {
      await command(name, document.path());
      return null;
    },
    "archive/look": async ({ look: number, cursor }, signal) => look.news(number, cursor, signal),
    "archive/stop": async () => {
      look.stop();
      return null;
    },
    "archive/again": async () => {
      look.again();
      return null;
    },
    "archive/tensors": async ({ member }) => ({ tensors: tensorRows(look.tensors(member).slice(0, MEMBER_TENSORS)) }),
  };
}
