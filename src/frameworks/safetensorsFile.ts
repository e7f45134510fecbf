import { basename } from "node:path";
import { ModelbenchError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import { readSafetensorsHeader } from "../formats/safetensors/header";
import { safetensorsData } from "../formats/safetensors/values";
import type { FileContent } from "./content";
import { safetensorsFacts } from "./safetensorsFacts";
import { openSafetensorsShards } from "./safetensorsShards";

/**
 * Opens a safetensors file by its header, or the shards that an index names as one content.
 * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
 */
export function openSafetensorsFile(path: string, name: string = basename(path), open = openFileReader): FileContent {
  return /\.json$/i.test(path) ? openSafetensorsShards(path, name, open) : openSingleFile(path, name, open);
}

function openSingleFile(path: string, name: string, open: typeof openFileReader): FileContent {
  const reader = open(path);
  try {
    const header = readSafetensorsHeader(reader, path);
    return {
      ...safetensorsFacts(header, reader, name, path),
      data(index) {
        const entry = header.entries[index];
        if (!entry) throw new ModelbenchError("internal", `${path}: has no tensor ${index}.`);
        return safetensorsData(reader, entry);
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}
