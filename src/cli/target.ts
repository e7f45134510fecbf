import { resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import { statOf } from "../store/modelFiles";

/** What a `TAG|FILE` operand names. */
export type Target = { readonly kind: "tag"; readonly tag: string } | { readonly kind: "file"; readonly path: string };

/** Endings that make an operand a file even where no such file exists. */
const KNOWN_EXTENSIONS =
  /\.(onnx|safetensors|msgpack|pkl|pickle|joblib|pt|pth|bin|npy|npz|json|bentomodel|tar|gz|tgz|xz|bz2|zip|yaml)$/i;

/**
 * A file if the operand contains `/` or `\`, starts with `.` or ends in a known extension, else a tag;
 * `--file` and `--tag` force one of them.
 * @throws ModelbenchError `usage`, `file.access`
 */
export function resolveTarget(operand: string | undefined, tag: string | undefined, file: string | undefined): Target {
  const given = [operand, tag, file].filter((word) => word !== undefined);
  if (given.length !== 1) {
    throw new ModelbenchError("usage", `Give exactly one TAG|FILE, --tag or --file; got ${given.length}.`);
  }
  if (tag !== undefined) return { kind: "tag", tag };
  if (file !== undefined) return existingFile(file);
  const word = operand ?? "";
  const isFile = /[/\\]/.test(word) || word.startsWith(".") || KNOWN_EXTENSIONS.test(word);
  return isFile ? existingFile(word) : { kind: "tag", tag: word };
}

function existingFile(word: string): Target {
  const path = resolve(word);
  if (statOf(path) === undefined) {
    throw new ModelbenchError("file.access", `${word}: there is no such file or folder.`, {
      path,
      remedy: "A tag is written without slashes; --tag forces one.",
    });
  }
  return { kind: "file", path };
}
