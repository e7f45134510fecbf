import { basename, dirname, join } from "node:path";
import type { Tag } from "./model";
import { isTagPart } from "./tag";

/** Where everything in a store lives. BentoML owns `models/`; what is ours stays below `.modelbench/`. */
export interface Layout {
  readonly home: string;
  /** `models/<name>/<version>/`; holds nothing of ours, because BentoML lists every folder in it. */
  readonly models: string;
  /** Everything of ours. */
  readonly own: string;
  /** A file with the number of the layout of `own`. */
  readonly format: string;
  /** What writers have not finished: `<pid>-<start>-<random>` each. */
  readonly staging: string;
  /** Deleted versions: `<id>/{entry.json, model/}` each. */
  readonly trash: string;
  /** A file that says for how long the trash is kept; 7 days without it. */
  readonly kept: string;
  /** What the files of a version were when it was saved: `<name>/<version>.json`. */
  readonly digests: string;
  /** Where a version came from: `<name>/<version>.json`. */
  readonly origins: string;
  /** Versions that a clean-up keeps: `<name>/<version>`. */
  readonly pins: string;
  /** What the last listing read, to be believed of what has not changed since; may go at any time. */
  readonly listing: string;
}

/** File in every version folder that makes it a model. */
export const MODEL_YAML = "model.yaml";

/** File in every name folder that names a version, without a newline. */
export const LATEST = "latest";

/** The paths of the store at `home`, an absolute path. */
export function layoutOf(home: string): Layout {
  const own = join(home, ".modelbench");
  return {
    home,
    models: join(home, "models"),
    own,
    format: join(own, "format"),
    staging: join(own, "staging"),
    trash: join(own, "trash"),
    kept: join(own, "kept.json"),
    digests: join(own, "digests"),
    origins: join(own, "origins"),
    pins: join(own, "pins"),
    listing: join(own, "cache", "listing"),
  };
}

/** The folder of all versions of a name. */
export function nameFolder(layout: Layout, name: string): string {
  return join(layout.models, name);
}

/** The folder of one version. */
export function versionFolder(layout: Layout, tag: Tag): string {
  return join(layout.models, tag.name, tag.version);
}

/** The file that names the latest version of a name. */
export function latestFile(layout: Layout, name: string): string {
  return join(layout.models, name, LATEST);
}

/** The tag that a version folder's own path says, whatever the model.yaml in it says. */
export function tagOfFolder(path: string): Tag {
  return { name: basename(dirname(path)), version: basename(path) };
}

/** Whether a value read from a file of ours is a tag; it becomes a path, so it must not lead out of the store. */
export function isFolderTag(value: unknown): value is Tag {
  if (typeof value !== "object" || value === null || !("name" in value && "version" in value)) return false;
  const { name, version } = value;
  return typeof name === "string" && typeof version === "string" && isTagPart(name) && isTagPart(version);
}
