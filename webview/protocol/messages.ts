import type { CompareProgress, CompareRequests } from "./compare";
import type { ContentProgress, ContentRequests } from "./content";
import type { FileRequests } from "./file";
import type { GraphRequests } from "./graph";
import type { LoadedObjectsView } from "./madeViews";
import type { PageCommand } from "./pageCommand";
import type {
  Draft,
  DraftState,
  EditInput,
  EditPart,
  Issue,
  ModelView,
  OutputView,
  SaveInput,
  SaveIssue,
  SaveSeed,
  Subject,
  TestView,
  VerifiedView,
} from "./views";

/** Version of everything below; a page of another version is reloaded with its saved state dropped. */
export const PROTOCOL = 6;

/** Largest message either side accepts, in bytes; larger values are paged or travel as files. */
export const MAX_MESSAGE_BYTES = 8 * 2 ** 20;

/** A request about one model; the host answers only for the model that the page was opened for. */
export interface AboutModel {
  readonly tag: string;
}

/** Every request of the page, `[parameters, result]`, plain data only. */
export interface HostRequests extends ContentRequests, CompareRequests, FileRequests, GraphRequests {
  "model/inspect": [AboutModel, ModelView];
  /** Opens model.yaml as text, at a place counted from 1. */
  "model/openYaml": [{ tag: string; at: { line: number; column: number } | null }, null];
  /** Writes what a form changed into model.yaml; an empty list means that it is done. */
  "model/edit": [{ tag: string; input: EditInput }, { issues: SaveIssue[] }];
  /** Reads every file and compares it with what was saved. */
  "model/verify": [AboutModel, VerifiedView];
  /** Loads the custom objects in the model's process, asking to allow its code first; `null` when that was refused. */
  "model/objects": [AboutModel, LoadedObjectsView | null];
  /** Runs a command of the extension for the model; its questions and failures appear outside the page. */
  "model/command": [{ tag: string; command: PageCommand }, null];
  /** Puts a text that the page shows (a tag, an error) on the clipboard. */
  "text/copy": [{ text: string }, null];
  "test/snapshot": [AboutModel, { test: TestView; drafts: DraftState }];
  /** Keeps what the user typed; other pages of the model hear of it through `test/drafts`. */
  "test/draft": [DraftState, null];
  /** Chooses a method; the answer holds the drafts kept for it, or a valid example. */
  "test/method": [{ tag: string; method: string }, DraftState];
  /** Fills the inputs of a method with the model's example. */
  "test/example": [{ tag: string; method: string }, DraftState];
  "test/validate": [DraftState, { issues: Issue[] }];
  /** Lets the user pick a file for an input; `null` when nothing was picked. */
  "test/pickFile": [{ tag: string; input: string }, Draft["file"]];
  /** Starts `copies` concurrent requests; what becomes of them comes through `test/state`. */
  "test/run": [{ state: DraftState; copies: number }, { issues: Issue[] }];
  "test/stop": [AboutModel, null];
  /** Ends the model's process and loads it again. */
  "test/restart": [AboutModel, null];
  /** Asks the user to allow the model's code, in a dialog of VS Code's own; what was decided shows in `test/state`. */
  "test/allow": [AboutModel, null];
  /** Takes back what was allowed, and ends the model's process. */
  "test/revoke": [AboutModel, null];
  /** Lets the user choose another Python interpreter. */
  "test/interpreter": [AboutModel, null];
  /** Chooses a device and load settings by their words; a loaded model is loaded anew by the next run. */
  "test/engine": [{ tag: string; device: string; settings: Record<string, string> }, null];
  /** Brings the inputs of a run in the history back. */
  "test/reuse": [{ tag: string; id: string }, DraftState];
  "test/clearHistory": [AboutModel, null];
  /** Reads rows along the first axis of an output that was too large to send whole. */
  "test/rows": [{ tag: string; reply: number; output: string; start: number; count: number }, OutputView];
  /** Drafts the files as a model of another module. */
  "save/module": [{ module: string }, SaveSeed];
  "save/validate": [SaveInput, { issues: SaveIssue[] }];
  /** Saves; an empty list means that it is done and the form closes. */
  "save/submit": [SaveInput, { issues: SaveIssue[] }];
  "save/cancel": [Record<string, never>, null];
}

/** What the host tells a page on its own, after the page's `ready`. */
export interface HostEvents {
  /** First message of all: what the page is about, its texts and the language they are in. */
  "page/init": {
    subject: Subject;
    strings: Record<string, string>;
    locale: string;
    section: string;
    /** The part whose form is to be open. */
    edit: EditPart | null;
  };
  /** The page is to show another model or section. */
  "page/subject": { subject: Subject; section: string; edit: EditPart | null };
  /** The model's files changed, or it is gone: read it again. */
  "model/changed": { tag: string };
  /** The file that the page shows was changed: read it again. */
  "content/changed": Record<string, never>;
  "content/progress": ContentProgress;
  "compare/progress": CompareProgress;
  /** The file was deleted, renamed or written, or is there again. */
  "file/changed": Record<string, never>;
  "test/state": TestView;
  "test/drafts": DraftState;
}

/** Name of a request. */
export type RequestName = keyof HostRequests;
/** Name of an event. */
export type EventName = keyof HostEvents;

/** A failure as it crosses the boundary: code and words, no stack. */
export interface WireFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
  readonly path: string | null;
}

/** Everything a page may post. */
export type ToHost =
  | { readonly kind: "ready"; readonly protocol: number }
  | { readonly kind: "request"; readonly id: number; readonly name: RequestName; readonly params: unknown }
  | { readonly kind: "cancel"; readonly id: number };

/** Everything a host may post. */
export type ToPage =
  | { readonly kind: "result"; readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly kind: "result"; readonly id: number; readonly ok: false; readonly error: WireFailure }
  | { readonly kind: "event"; readonly name: EventName; readonly value: unknown }
  /** The page speaks another version: it drops its saved state; the host then loads it anew. */
  | { readonly kind: "mismatch"; readonly protocol: number };
