import { dirname, join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { openFileReader } from "../formats/fileReader";
import type { PickleFacts } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { DraftFiles, FrameworkDraft } from "./adapter";
import { draftBare } from "./bareDraft";
import { formatOf, openContent } from "./contentFormats";
import { draftFlax, flaxModuleBeside } from "./flax/draft";
import { draftOnnx } from "./onnx/draft";
import { draftPicklable } from "./picklable/draft";
import { draftSklearn } from "./sklearn/draft";

/** The bare module: files as they are. */
const BARE = "";

/** Formats that are weights: kept as they are where nothing says what runs them. */
const WEIGHTS: ReadonlySet<FileFormat> = new Set(["safetensors", "flax-msgpack", "msgpack", "npy", "npz", "pickle"]);

/**
 * The fixed table from files to the modules that fit them, the one that is taken when nobody chooses first. Nothing
 * is executed: of a pickle its imports are looked at.
 *
 * | file | module |
 * |---|---|
 * | `.onnx` | `bentoml.onnx` |
 * | a pickle that imports sklearn, or that only joblib reads | `bentoml.sklearn` |
 * | another pickle | `bentoml.picklable_model` |
 * | `.msgpack` with its module in the `custom_objects.pkl` beside it | `bentoml.flax` |
 * | weights alone | bare |
 *
 * Every file can also be kept bare; empty = no line fits, and then it is only kept when somebody says so.
 * @throws ModelbenchError `file.access`
 */
export function fittingModules(files: readonly string[]): readonly string[] {
  if (files.some((file) => /\.onnx$/i.test(file))) return ["bentoml.onnx", BARE];
  const [first, ...more] = files;
  if (first === undefined) return [];
  const flax = files.find((file) => /\.msgpack$/i.test(file));
  if (flax !== undefined && files.length <= 2 && flaxModuleBeside(flax, openFileReader)) return ["bentoml.flax", BARE];
  if (more.length === 0 && isPickleFile(first)) return [...pickleModules(first), BARE];
  return files.some((file) => WEIGHTS.has(formatOf(file))) ? [BARE] : [];
}

/**
 * The framework's part of a draft for these source files. Without `module` the table decides; the empty module keeps
 * any files as they are, and of a list of shards the shards with it.
 * @throws ModelbenchError `usage` when no line of the table fits or the module drafts no such files,
 *   `format.mismatch` when a file is not what the module is made of, or the adapter's own failure
 */
export function draftFromFiles(files: readonly string[], module?: string): FrameworkDraft {
  const wanted = module ?? fittingModules(files)[0];
  if (wanted === undefined) {
    throw new ModelbenchError("usage", `${files.join(", ")}: nothing says which framework this is of.`, {
      remedy: "Name it with --module, or keep the files as they are: --module ''.",
    });
  }
  const draft = DRAFTS.get(wanted);
  if (!draft) {
    throw new ModelbenchError("usage", `Saving a model of module ${JSON.stringify(wanted)} is not in this version.`, {
      remedy: "Keep the files as they are: --module ''.",
    });
  }
  const drafted = draft(wanted === BARE ? withShards(files) : files, openFileReader);
  assertFits(wanted, drafted);
  return drafted;
}

/** What makes a model of a module from files; of other modules this version saves none. */
const DRAFTS: ReadonlyMap<string, DraftFiles> = new Map([
  ["bentoml.onnx", draftOnnx],
  ["bentoml.sklearn", draftSklearn],
  ["bentoml.picklable_model", draftPicklable],
  ["bentoml.flax", draftFlax],
  [BARE, draftBare],
]);

/** The format that the model file of a module has; the ONNX adapter reads its file itself. */
const MADE_OF: ReadonlyMap<string, FileFormat> = new Map([
  ["bentoml.sklearn", "pickle"],
  ["bentoml.picklable_model", "pickle"],
  ["bentoml.flax", "flax-msgpack"],
]);

function assertFits(module: string, { files: [main] }: FrameworkDraft): void {
  const wanted = MADE_OF.get(module);
  if (wanted === undefined || main === undefined) return;
  const { format, content } = openContent(main.from);
  content.close();
  if (format === wanted) return;
  const message = `${main.from}: a model of ${module} is made of a ${wanted} file; this is ${format}.`;
  throw new ModelbenchError("format.mismatch", message, { path: main.from });
}

/** Pickles as `pickle.load` or `joblib.load` reads them; PyTorch's files hold pickles that only it reads. */
function isPickleFile(file: string): boolean {
  if (/\.(pt|pth|bin|ckpt)$/i.test(file) || formatOf(file) !== "pickle") return false;
  const reader = openFileReader(file);
  try {
    return reader.size > 1 && Buffer.from(reader.read(0, 2)).toString("latin1") !== "PK";
  } finally {
    reader.close();
  }
}

function pickleModules(file: string): string[] {
  const { content } = openContent(file);
  content.close();
  const names = (content.pickle?.imports ?? []).map(({ module }) => module?.split(".")[0]);
  if (names.includes("sklearn")) return ["bentoml.sklearn", "bentoml.picklable_model"];
  return isJoblibOnly(file, content.pickle) ? ["bentoml.sklearn"] : ["bentoml.picklable_model"];
}

/** joblib compresses whole pickles, and puts the bytes of arrays between the opcodes. */
function isJoblibOnly(file: string, pickle: PickleFacts | undefined): boolean {
  if (pickle?.imports.some(({ module }) => module?.startsWith("joblib."))) return true;
  const reader = openFileReader(file);
  try {
    const marks = ["\x78\x01", "\x78\x5e", "\x78\x9c", "\x78\xda", "\x1f\x8b", "BZ", "\xfd7", "]\0", "\x04\x22"];
    return marks.includes(Buffer.from(reader.read(0, 2)).toString("latin1"));
  } finally {
    reader.close();
  }
}

/** A list of shards is of no use without them. */
function withShards(files: readonly string[]): readonly string[] {
  const all = [...files];
  for (const file of files) {
    if (!file.endsWith(".safetensors.index.json")) continue;
    const { content } = openContent(file);
    content.close();
    const shards = new Set(content.tensors.map((tensor) => join(dirname(file), tensor.file)));
    all.push(...[...shards].filter((shard) => !files.includes(shard)));
  }
  return all;
}
