import type { WireError } from "../base/errors";
import type { JobKey } from "../base/ports";
import type { PythonFacts } from "./adapter";

/** An interpreter with what named it. */
export interface NamedInterpreter {
  readonly by: string;
  /** A path, or a bare name for one on the PATH. */
  readonly path: string;
}

/** Where the editor looks for an interpreter. */
export interface InterpreterQuestion {
  /** The one that a setting names; then no other will do. */
  readonly asked: NamedInterpreter | null;
  /** Those that others chose, for instance another extension; the first that is there is taken. */
  readonly chosen: readonly NamedInterpreter[];
  /** Environment variables: what runs the job has only those that it was allowed. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute folders of the project; a `.venv` in one of them comes before `VIRTUAL_ENV`. */
  readonly folders: readonly string[];
  /** The user's home folder: where a relative path starts without a project. */
  readonly home: string;
}

/** The same, for models of a framework. */
export interface PythonQuestion extends InterpreterQuestion {
  readonly needs: PythonFacts["needs"];
  /** Absolute folders that modules may be imported from, if they are there. */
  readonly paths: readonly string[];
}

/** The Python that would run models of a framework; read from folders, nothing is started. */
export interface PythonFound {
  /** Absolute; `null` when there is none. */
  readonly interpreter: string | null;
  /** What named it: one of the question's, `.venv`, `VIRTUAL_ENV` or `python3 on the PATH`. */
  readonly by: string;
  /** Packages that it lacks, and the one line that installs them; empty when nothing is known. */
  readonly lacking: readonly string[];
  readonly command: string;
  /** Why there is none. */
  readonly problem: WireError | null;
  /** Those of the question that are folders. */
  readonly paths: readonly string[];
}

/** Finds the interpreter that would run models of a framework. */
export const pythonSetupJob: JobKey<PythonQuestion, PythonFound> = { name: "python.setup" };

/** Every interpreter that is found, the one to use first, each once. */
export const listInterpretersJob: JobKey<InterpreterQuestion, readonly NamedInterpreter[]> = {
  name: "python.interpreters",
};

/** The folder of a project from which a module can be imported; `null` when none was found in the time. */
export const moduleFolderJob: JobKey<{ readonly folders: readonly string[]; readonly module: string }, string | null> =
  { name: "python.moduleFolder" };
