const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `5.81 KiB`: bytes with two decimals and a binary unit; whole bytes have none. */
export function humanSize(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : bentoSize(bytes);
}

/** The same as `bentoml models list` prints it: `17.00 B`, too. */
export function bentoSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(2)} ${UNITS[unit]}`;
}
