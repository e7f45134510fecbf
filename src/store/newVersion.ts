import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";

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
