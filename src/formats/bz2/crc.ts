/** CRC-32 with its bits in the order that bzip2 takes them, which zlib's is not. */
const TABLE = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  TABLE[i] = value;
}

/** The running check of a block after these bytes; it begins as -1 and is inverted at the end. */
export function bz2Crc(crc: number, bytes: Uint8Array): number {
  let value = crc;
  for (let i = 0; i < bytes.length; i++)
    value = (value << 8) ^ (TABLE[((value >>> 24) ^ (bytes[i] as number)) & 0xff] as number);
  return value;
}

/** The running check of a stream after a block with this check. */
export function bz2StreamCrc(stream: number, block: number): number {
  return ((stream << 1) | (stream >>> 31)) ^ block;
}
