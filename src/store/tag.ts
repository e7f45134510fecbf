import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
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

/** `name:version`, or `name` alone. */
export function formatTag(tag: { readonly name: string; readonly version?: string | undefined }): string {
  return tag.version === undefined ? tag.name : `${tag.name}:${tag.version}`;
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

/**
 * A fresh version as BentoML makes them: 16 characters out of a time-based UUID, for instance
 * `r6mehnhgmwvaeax4`. Versions made later do not sort later.
 * @see bentoml 1.4.39 _internal/tag.py, make_new_version
 */
export function newVersion(): string {
  const bytes = Buffer.alloc(10);
  const time = nextTime();
  bytes.writeUInt32BE(Number(time & 0xffff_ffffn), 0);
  bytes.writeUInt16BE(Number((time >> 32n) & 0xffffn), 4);
  bytes.writeUInt16BE((randomBytes(2).readUInt16BE() & 0x3fff) | 0x8000, 6);
  bytes.set(node, 8);
  return base32(bytes);
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

/** 100 ns ticks between the calendar reform of 1582, where UUIDs count from, and 1970. */
const GREGORIAN_OFFSET = 0x01b2_1dd2_1381_4000n;
let lastTime = 0n;

/** The time in 100 ns ticks, never the same twice in one process. */
function nextTime(): bigint {
  const now = BigInt(Math.floor((performance.timeOrigin + performance.now()) * 1000)) * 10n + GREGORIAN_OFFSET;
  lastTime = now > lastTime ? now : lastTime + 1n;
  return lastTime;
}

/** The first two bytes of this machine's address, random ones (marked as such) where it has none. */
const node = nodeBytes();

function nodeBytes(): Buffer {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const hardware = addresses.find(({ mac }) => mac !== "00:00:00:00:00:00");
  if (hardware !== undefined) return Buffer.from(hardware.mac.replaceAll(":", ""), "hex").subarray(0, 2);
  const random = randomBytes(2);
  random[0] = (random[0] ?? 0) | 1;
  return random;
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{5}/g, (five) => "abcdefghijklmnopqrstuvwxyz234567".charAt(Number.parseInt(five, 2)));
}
