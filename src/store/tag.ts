import { ModelbenchError } from "../base/errors";
import { visible } from "../base/visible";
import type { Tag } from "./model";

/** Longest name or version, in characters. */
const MAX_TAG_PART = 63;

const FORM = /^[a-z0-9](?:[-._a-z0-9]*[a-z0-9])?$/;
const LENGTH_RULE = `a tag's name or version must be at most ${MAX_TAG_PART} characters in length`;
const FORM_RULE =
  "a tag's name or version must consist of lowercase alphanumeric characters, '_', '-', or '.', and must start and " +
  "end with an alphanumeric character";

/** What a text names: all versions of a name, `latest`, or one version. */
export interface ParsedTag {
  readonly name: string;
  readonly version?: string;
  /** The text as it came, present only when it had to be put in lower case; worth a warning. */
  readonly loweredFrom?: string;
}

/**
 * Reads `name` or `name:version`; `latest` is a version like any other here.
 * @throws ModelbenchError `tag.invalid`
 * @see bentoml 1.4.39 _internal/tag.py; a line break at the end, which BentoML lets through, is refused
 */
export function parseTag(text: string): ParsedTag {
  const colon = text.indexOf(":");
  const lowered = text.toLowerCase();
  const from = lowered === text ? {} : { loweredFrom: text };
  if (colon < 0) return { name: checkPart(lowered), ...from };
  const lowerColon = lowered.indexOf(":");
  const version = lowered.slice(lowerColon + 1);
  if (version === "") {
    const name = visible(text.slice(0, colon));
    throw new ModelbenchError("tag.invalid", `${visible(text)} contains trailing ':'.`, {
      remedy: `Maybe you meant \`${name}:latest\`.`,
    });
  }
  try {
    return { name: checkPart(lowered.slice(0, lowerColon)), version: checkPart(version), ...from };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new ModelbenchError("tag.invalid", `Invalid Tag ${visible(text)}: ${reason}`, { cause });
  }
}

/** `name:version`, or `name` alone where there is no version. */
export function formatTag(tag: { readonly name: string; readonly version?: string | undefined }): string {
  return tag.version ? `${tag.name}:${tag.version}` : tag.name;
}

/** A tag of two checked parts, both put in lower case. @throws ModelbenchError `tag.invalid` */
export function makeTag(name: string, version: string): Tag {
  return { name: checkPart(name.toLowerCase()), version: checkPart(version.toLowerCase()) };
}

/**
 * A tag that a model may be saved under: `latest` is the store's own word for the newest version.
 * @throws ModelbenchError `tag.invalid`
 */
export function makeSavableTag(name: string, version: string): Tag {
  const tag = makeTag(name, version);
  if (tag.version === "latest") {
    throw new ModelbenchError(
      "tag.invalid",
      `${formatTag(tag)} cannot be saved: "latest" always names the newest version.`,
      {
        remedy: "Choose another version, or leave it out to have one made.",
      },
    );
  }
  return tag;
}

/** Whether a text is a name or a version as it stands. */
export function isTagPart(text: string): boolean {
  return text.length <= MAX_TAG_PART && FORM.test(text);
}

function checkPart(part: string): string {
  const errors: string[] = [];
  if ([...part].length > MAX_TAG_PART) errors.push(LENGTH_RULE);
  if (!FORM.test(part)) errors.push(FORM_RULE);
  if (errors.length === 0) return part;
  throw new ModelbenchError(
    "tag.invalid",
    `${visible(part, 80)} is not a valid BentoML tag: ${errors.join(", and ")}.`,
  );
}
