/** Code of the nearest IEEE half-precision value, ties to even; beyond its range an infinity. */
export function encodeFloat16(value: number): number {
  return encode(value, 5, 10);
}

/** Code of the nearest bfloat16 value, ties to even; beyond its range an infinity. */
export function encodeBfloat16(value: number): number {
  return encode(value, 8, 7);
}

const bits = new DataView(new ArrayBuffer(8));

/** Rounds once, from the double itself: going through float32 first would round some values twice. */
function encode(value: number, exponentBits: number, mantissaBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const infinity = (2 ** exponentBits - 1) * 2 ** mantissaBits;
  const sign = value < 0 || Object.is(value, -0) ? 2 ** (exponentBits + mantissaBits) : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return infinity + 2 ** (mantissaBits - 1);
  if (size === Number.POSITIVE_INFINITY) return sign + infinity;
  if (size < 2 ** (1 - bias)) return sign + roundToEven(size * 2 ** (bias - 1 + mantissaBits));
  bits.setFloat64(0, size);
  const exponent = (bits.getUint16(0) >> 4) - 1023;
  const fraction = roundToEven((size * 2 ** -exponent - 1) * 2 ** mantissaBits);
  // A fraction that rounds up to the next power of two carries into the exponent by itself.
  return sign + Math.min(infinity, (exponent + bias) * 2 ** mantissaBits + fraction);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
