import { writeFileSync } from "node:fs";
import { fc } from "../fixtures/fastCheck";

/** A change of a file; places are shares of its length. */
type Edit =
  | { readonly kind: "set"; readonly at: number; readonly byte: number }
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "remove" | "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "cut"; readonly at: number };

/** Evenly spread: `fc.double` spreads over exponents, and nearly all of it would be the first byte. */
const at = fc.noBias(fc.nat(2 ** 30 - 1)).map((place) => place / 2 ** 30);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant("flip" as const), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("insert" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
  fc.record({
    kind: fc.constantFrom("remove" as const, "repeat" as const),
    at,
    length: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at }),
);

function edited(bytes: Buffer, change: Edit): Buffer {
  const place = Math.floor(change.at * bytes.length);
  const [before, behind] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (change.kind) {
    case "set":
    case "flip": {
      const copy = Buffer.from(bytes);
      copy[place] = change.kind === "set" ? change.byte : (copy[place] ?? 0) ^ (1 << change.bit);
      return copy;
    }
    case "insert":
      return Buffer.concat([before, change.bytes, behind]);
    case "remove":
      return Buffer.concat([before, behind.subarray(change.length)]);
    case "repeat":
      return Buffer.concat([before, behind.subarray(0, change.length), behind]);
    case "cut":
      return Buffer.from(before);
  }
}

/** `count` files, each one of the healthy ones with one to three changes, or `least` to three. */
export function mutantsOf(healthy: readonly Buffer[], count: number, least = 1): Buffer[] {
  return fc
    .sample(fc.tuple(fc.nat(healthy.length - 1), fc.array(edit, { minLength: least, maxLength: 3 })), {
      numRuns: count,
    })
    .map(([index, edits]) => edits.reduce(edited, healthy[index] ?? Buffer.alloc(0)));
}

/** Writes files into one, for a peer that judges them all in one process: length as u32 LE, bytes, and so on. */
export function writeBatch(path: string, files: readonly Buffer[]): void {
  const parts = files.flatMap((bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  writeFileSync(path, Buffer.concat(parts));
}
