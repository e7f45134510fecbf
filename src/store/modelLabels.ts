import type { JobKey } from "../base/ports";
import { fitsHostThread, HOST_BYTES, resolvesToText } from "../formats/pyYaml";
import { MODEL_YAML } from "./layout";
import { parseModelInfo } from "./modelYaml/modelInfo";
import { scanModelYaml } from "./modelYaml/scanSummary";
import { SmallFileReader } from "./smallFileReader";

/** The labels of one version. */
export type ModelLabels = ReadonlyMap<string, string>;

const NONE: ModelLabels = new Map();

/** The labels in the one form that BentoML writes: nothing, or a key and a plain or quoted text a line. */
const SECTION = /^labels:(?: \{\}$|((?:\n {2}.*)+)$)/m;
const LINE = /^ {2}([A-Za-z_][A-Za-z0-9_.-]*): (?:'([^']*)'|([A-Za-z0-9_./+-][A-Za-z0-9_./+-]*))$/;

/** Sections that were read before: versions of one environment share most of theirs, and one map serves them all. */
const known = new Map<string, ModelLabels>();
const MAX_KNOWN = 1000;

/** The labels in a model.yaml, without building its document; `undefined` = ask the full parser. */
export function scanLabels(yaml: Buffer): ModelLabels | undefined {
  if (scanModelYaml(yaml) === undefined) return undefined;
  const section = SECTION.exec(yaml.toString("latin1"));
  if (section === null) return undefined;
  const lines = section[1];
  if (lines === undefined) return NONE;
  const before = known.get(lines);
  if (before !== undefined) return before;
  const labels = labelsIn(lines.slice(1).split("\n"));
  if (labels === undefined) return undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(lines, labels);
  return labels;
}

function labelsIn(lines: readonly string[]): ModelLabels | undefined {
  const labels = new Map<string, string>();
  for (const line of lines) {
    const [, key, quoted, plain] = LINE.exec(line) ?? [];
    if (key === undefined || labels.has(key) || !resolvesToText(key)) return undefined;
    if (plain !== undefined && !resolvesToText(plain)) return undefined;
    labels.set(key, quoted ?? plain ?? "");
  }
  return labels;
}

const reader = new SmallFileReader();

/** The labels of the version in this folder; none when it cannot be read as a model. */
export function labelsOf(folder: string): ModelLabels {
  return labelsOfFile(folder, () => true) ?? NONE;
}

/** The same on a thread that must not wait; `undefined` for a model.yaml that takes longer there than it may. */
export function labelsOfSoon(folder: string): ModelLabels | undefined {
  return labelsOfFile(folder, (yaml) => yaml.length <= HOST_BYTES && fitsHostThread(yaml.toString("latin1")));
}

function labelsOfFile(folder: string, mayParse: (yaml: Buffer) => boolean): ModelLabels | undefined {
  try {
    const path = `${folder}/${MODEL_YAML}`;
    const yaml = reader.read(path);
    return scanLabels(yaml) ?? (mayParse(yaml) ? parseModelInfo(yaml, path).labels : undefined);
  } catch {
    return NONE;
  }
}

/** Reads the labels of versions whose model.yaml takes long to parse, in the order of their folders. */
export const readLabelsJob: JobKey<
  { readonly folders: readonly string[] },
  readonly (readonly (readonly [string, string])[])[]
> = { name: "store.readLabels" };

/** The work behind `readLabelsJob`; never fails. */
export async function runReadLabels({ folders }: { readonly folders: readonly string[] }) {
  return folders.map((folder) => [...labelsOf(folder)]);
}
