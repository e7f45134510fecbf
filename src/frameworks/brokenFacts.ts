import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { JobKey } from "../base/ports";
import { layoutOf, MODEL_YAML, versionFolder } from "../store/layout";
import type { Tag } from "../store/model";
import { modelFilesIn } from "../store/modelFiles";
import { decodeModelYaml, parseModelInfo } from "../store/modelYaml/modelInfo";
import { SmallFileReader } from "../store/smallFileReader";

/** Most files of a broken model that are listed. */
const LISTED_FILES = 1000;

/** Longest part of a line that is shown, in characters. */
const LINE_CHARACTERS = 200;

/** Where in model.yaml the reading ended. */
export interface YamlFault {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** The line; of a long one the part around the column. */
  readonly text: string;
  /** Where in `text` the column is, from 0. */
  readonly at: number;
}

/** What can be known of a version whose model.yaml cannot be read; plain, cloneable data. */
export interface BrokenFacts {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** How many there are beyond those. */
  readonly moreFiles: number;
  readonly sizeBytes: number;
  /** Set when the failure has a place in model.yaml. */
  readonly fault?: YamlFault;
}

/** Looks at a version that cannot be read, without its model.yaml. */
export const brokenFactsJob: JobKey<{ readonly home: string; readonly tag: Tag }, BrokenFacts> = {
  name: "brokenFacts",
};

/** The work behind `brokenFactsJob`. @throws ModelbenchError `store.access` when its folder cannot be listed */
export async function runBrokenFacts({ home, tag }: { home: string; tag: Tag }): Promise<BrokenFacts> {
  const folder = versionFolder(layoutOf(home), tag);
  const files = modelFilesIn(folder);
  const fault = faultIn(join(folder, MODEL_YAML));
  return {
    files: files.slice(0, LISTED_FILES),
    moreFiles: Math.max(0, files.length - LISTED_FILES),
    sizeBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(fault ? { fault } : {}),
  };
}

function faultIn(path: string): YamlFault | undefined {
  let text: string;
  try {
    text = decodeModelYaml(new SmallFileReader().read(path)).replace(/\r\n?/g, "\n");
  } catch {
    return undefined;
  }
  try {
    parseModelInfo(text);
    return undefined;
  } catch (error) {
    const offset = error instanceof ModelbenchError ? error.offset : undefined;
    return offset === undefined ? undefined : faultAt(text, offset);
  }
}

/** Lines as editors count them. */
function faultAt(text: string, offset: number): YamlFault {
  const before = text.slice(0, offset).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  const whole = text.split("\n", before.length).at(-1) ?? "";
  const start = Math.max(0, column - 1 - LINE_CHARACTERS / 2);
  return { line: before.length, column, text: whole.slice(start, start + LINE_CHARACTERS), at: column - 1 - start };
}
