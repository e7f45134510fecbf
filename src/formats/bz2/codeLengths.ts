/** Codes that are written are no longer than bzip2's own. */
const MAX_LENGTH = 17;

/** Lengths of a prefix code for symbols of these frequencies, of which each gets one; at most 17 bits. */
export function codeLengths(frequencies: ArrayLike<number>): Uint8Array {
  let weights = Array.from(frequencies, (frequency) => Math.max(1, frequency));
  for (;;) {
    const lengths = huffman(weights);
    if (Math.max(...lengths) <= MAX_LENGTH) return lengths;
    // Flatter weights make shorter codes.
    weights = weights.map((weight) => 1 + (weight >> 1));
  }
}

/** Two queues, both sorted: leaves, and inner nodes in the order they were made. */
function huffman(weights: readonly number[]): Uint8Array {
  const count = weights.length;
  const leaves = Array.from(weights.keys()).sort((a, b) => (weights[a] as number) - (weights[b] as number));
  const nodeWeight = [...weights];
  const parent: number[] = [];
  let leaf = 0;
  let inner = count;
  const smallest = (): number => {
    const next = leaves[leaf];
    const takesLeaf =
      next !== undefined &&
      (inner >= nodeWeight.length || (nodeWeight[next] as number) <= (nodeWeight[inner] as number));
    if (!takesLeaf) return inner++;
    leaf++;
    return next;
  };
  for (let i = 1; i < count; i++) {
    const [a, b] = [smallest(), smallest()];
    const made = nodeWeight.push((nodeWeight[a] as number) + (nodeWeight[b] as number)) - 1;
    parent[a] = made;
    parent[b] = made;
  }
  const depth = new Uint8Array(nodeWeight.length);
  for (let node = nodeWeight.length - 2; node >= 0; node--) depth[node] = (depth[parent[node] as number] as number) + 1;
  return depth.subarray(0, count);
}

/** The codes themselves: the shorter come first, equal ones by symbol. */
export function codesOf(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) codes[symbol] = code++;
    code <<= 1;
  }
  return codes;
}
