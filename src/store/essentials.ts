import { fitsHostThread, HOST_BYTES } from "../formats/pyYaml";
import { parseModelInfo } from "./modelYaml/modelInfo";
import { scanModelYaml } from "./modelYaml/scanSummary";

/** What model.yaml says about a version in a list. */
export interface Essentials {
  readonly name: string;
  readonly version: string;
  readonly module: string;
  /** Milliseconds since the epoch, rounded down. */
  readonly creationMs: number;
  /** Microseconds beyond `creationMs`, 0 to 999. */
  readonly creationMicros: number;
}

/** Reads a model.yaml by the scanner, by the full parser where the scanner will not vouch for the answer.
 *  @throws ModelbenchError `yaml.invalid`, `tag.invalid` */
export function readEssentials(yaml: Buffer, path: string): Essentials {
  return scanModelYaml(yaml) ?? parsedEssentials(yaml, path);
}

/** The same on a thread that must not wait; `undefined` for a file that takes longer there than it may.
 *  @throws ModelbenchError `yaml.invalid`, `tag.invalid` */
export function readEssentialsSoon(yaml: Buffer, path: string): Essentials | undefined {
  if (yaml.length > HOST_BYTES) return undefined;
  const scanned = scanModelYaml(yaml);
  if (scanned !== undefined) return scanned;
  return fitsHostThread(yaml.toString("latin1")) ? parsedEssentials(yaml, path) : undefined;
}

function parsedEssentials(yaml: Buffer, path: string): Essentials {
  const { tag, module, creationTime } = parseModelInfo(yaml, path);
  return { ...tag, module, creationMs: creationTime.epochMs, creationMicros: creationTime.micros };
}

/** Orders by creation, the older first. */
export function byCreation(a: Creation, b: Creation): number {
  return a.creationMs - b.creationMs || a.creationMicros - b.creationMicros;
}

/** When a version was made. */
export type Creation = Pick<Essentials, "creationMs" | "creationMicros">;
