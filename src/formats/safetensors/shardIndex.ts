import { Budget } from "../../base/budget";
import type { PositionalReader } from "../../base/ports";
import { HeaderTokens } from "./headerTokens";
import { quoted } from "./quoted";

/** Longest index that is read: the largest models have some 10 MB of tensor names. */
const MAX_INDEX_BYTES = 64 * 1024 ** 2;
/** Tensors that an index may name. */
const MAX_TENSORS = 1_000_000;

/** What `model.safetensors.index.json` says. */
export interface ShardIndex {
  /** Tensor to file, both as they stand there, in order. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Bytes of all tensors; `null` when it does not say. */
  readonly totalBytes: bigint | null;
}

/**
 * Reads the list of the shards of a model: an object with `weight_map`, tensor to file, and maybe `metadata.total_size`.
 * Other members are left alone.
 * @throws ModelbenchError `format.corrupt` with the offset, also for a tensor that comes twice, `budget.exceeded`
 */
export function readShardIndex(reader: PositionalReader, path: string): ShardIndex {
  const budget = new Budget(path, { bytes: 3 * MAX_INDEX_BYTES, nodes: MAX_TENSORS });
  const tokens = new HeaderTokens(indexBytes(reader, path), path, 0, budget);
  let weightMap: Map<string, string> | undefined;
  let totalBytes: bigint | null = null;
  tokens.object((key, keyAt) => {
    if (key === "weight_map") {
      if (weightMap) throw tokens.wrong("has weight_map twice", keyAt);
      weightMap = readWeightMap(tokens, budget);
    } else if (key === "metadata" && tokens.peek() === "{") {
      tokens.object((field) => {
        if (field === "total_size" && /[0-9]/.test(tokens.peek())) totalBytes = wholeNumber(tokens.number());
        else tokens.skip();
      });
    } else tokens.skip();
  });
  tokens.end();
  if (!weightMap) throw tokens.wrong("has no weight_map", 0);
  return { weightMap, totalBytes };
}

/** Whether a file is a JSON object with a member `weight_map`, whatever that is. */
export function isShardIndex(reader: PositionalReader): boolean {
  if (reader.size > MAX_INDEX_BYTES) return false;
  const bytes = Buffer.from(reader.read(0, reader.size));
  if (!bytes.includes('"weight_map"')) return false;
  let found = false;
  try {
    const tokens = new HeaderTokens(bytes, "index", 0, new Budget("index", { bytes: 3 * MAX_INDEX_BYTES }));
    tokens.object((key) => {
      found ||= key === "weight_map";
      tokens.skip();
    });
  } catch {
    return false;
  }
  return found;
}

/** Some writers add up floats. */
function wholeNumber(text: string): bigint | null {
  if (/^[0-9]{1,20}$/.test(text)) return BigInt(text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? BigInt(value) : null;
}

function indexBytes(reader: PositionalReader, path: string): Uint8Array {
  new Budget(path, { bytes: MAX_INDEX_BYTES }).bytes(reader.size);
  return reader.read(0, reader.size);
}

function readWeightMap(tokens: HeaderTokens, budget: Budget): Map<string, string> {
  const map = new Map<string, string>();
  tokens.object((tensor, at) => {
    budget.nodes();
    if (map.has(tensor)) throw tokens.wrong(`has the tensor ${quoted(tensor)} twice`, at);
    map.set(tensor, tokens.string());
  });
  return map;
}
