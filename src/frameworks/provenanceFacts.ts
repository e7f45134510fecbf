import { type NamedFileState, namedFileState } from "../store/namedFiles";
import type { GitState, Provenance } from "../store/provenance";

/** A file that a model was made with, and what became of it. */
export interface MadeWith {
  /** Absolute. */
  readonly path: string;
  readonly state: NamedFileState;
}

/** What made a model, compared with what is there now; plain, cloneable data. */
export interface ProvenanceFacts {
  readonly expression: string;
  readonly script: MadeWith;
  readonly git?: GitState | undefined;
  readonly data: readonly MadeWith[];
}

/** Looks at the files that a model was made with. */
export async function provenanceFacts({ expression, script, git, data }: Provenance): Promise<ProvenanceFacts> {
  const look = async (file: Provenance["script"]) => ({ path: file.path, state: await namedFileState(file) });
  const made: MadeWith[] = [];
  for (const file of data) made.push(await look(file));
  return { expression, script: await look(script), ...(git && { git }), data: made };
}
