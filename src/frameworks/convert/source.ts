import { join } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { claimedFormat } from "../../formats/sniff";
import type { StoredModel } from "../../store/model";
import { modelFilesIn } from "../../store/modelFiles";
import { formatTag } from "../../store/tag";

/**
 * The file of a version that is converted: the index of its shards, or its only weights.
 * @throws ModelbenchError `usage` naming them when there are several, or that there is none
 */
export function convertibleFile({ path, tag }: StoredModel): string {
  const files = modelFilesIn(path).map((file) => file.path);
  const weights = files.filter((file) => ["flax-msgpack", "safetensors"].includes(claimedFormat(file) ?? ""));
  const indices = weights.filter((file) => /\.json$/i.test(file));
  const [only, ...more] = indices.length > 0 ? indices : weights;
  if (only !== undefined && more.length === 0) return join(path, only);
  const found =
    only === undefined ? "has no MessagePack or safetensors file" : `has several: ${[only, ...more].join(", ")}`;
  throw new ModelbenchError("usage", `${formatTag(tag)} ${found}.`, { remedy: "Name the file itself.", path });
}
