import { join, relative, sep } from "node:path";
import { ModelbenchError, toWireError, type Warning } from "../base/errors";
import type { OnnxGraphs } from "../formats/onnx/graphTable";
import { type PickleFacts, worseVerdict } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import { MODEL_YAML } from "../store/layout";
import type { StoredModel } from "../store/model";
import { modelFilesIn } from "../store/modelFiles";
import type { ContentFacts, FileContent, LeafValue, OnnxFacts, StoredTensor } from "./content";
import { FORMAT_NOT_READ, formatOf, openContent } from "./contentFormats";
import { adapterFor } from "./registry";

/** A file of a model, or the inspected file itself. */
export interface InspectedFile {
  /** Relative to the model's folder, with `/`; for a bare file its name. */
  readonly path: string;
  readonly bytes: number;
  readonly format: FileFormat;
  readonly pickle?: PickleFacts;
}

/** What the headers of all files of a model say together. */
export interface ModelContent extends FileContent {
  readonly files: readonly InspectedFile[];
  readonly signatures: Readonly<Record<string, MethodSignature>>;
}

/**
 * Opens a model by the headers of its files. The file that its framework runs must be readable; of any other the
 * failure is a warning.
 * @throws ModelbenchError `model.broken`, `format.corrupt`, `format.mismatch`, `store.access`
 */
export function openModelContent(model: StoredModel): ModelContent {
  const adapter = adapterFor(model.info.module);
  const entry = adapter?.entryFile && relative(model.path, adapter.entryFile(model)).split(sep).join("/");
  const reading = new ModelReading(model.path, entry);
  for (const file of modelFilesIn(model.path)) reading.file(file.path, file.bytes);
  if (!adapter) {
    const message = `The module ${JSON.stringify(model.info.module)} is not known to this version; only its files are read.`;
    reading.warnings.push({ code: "model.module", message });
  }
  return {
    files: reading.files,
    signatures: adapter?.signatures(model, reading.entryFacts) ?? {},
    tensors: reading.tensors,
    metadata: reading.metadata,
    ...(reading.onnx && { onnx: reading.onnx }),
    ...(reading.pickle && { pickle: reading.pickle }),
    warnings: reading.warnings,
    data: (index) => reading.data(index),
    leaf: (index) => reading.leaf(index),
    listLevels: (index) => reading.listLevels(index),
    ...(reading.onnx && { graphs: () => reading.graphs() }),
    close: () => reading.close(),
  };
}

/** Gathers file after file; at most one of them is open, and one for its graphs. */
class ModelReading {
  readonly files: InspectedFile[] = [];
  readonly tensors: StoredTensor[] = [];
  readonly warnings: Warning[] = [];
  metadata: ReadonlyMap<string, string> = new Map();
  onnx: OnnxFacts | undefined;
  pickle: PickleFacts | undefined;
  entryFacts: ContentFacts | undefined;
  readonly #folder: string;
  readonly #entry: string | undefined;
  /** Per tensor: the file it came from, and its index there. */
  readonly #places: { readonly file: string; readonly index: number }[] = [];
  #open: { readonly file: string; readonly content: FileContent } | undefined;
  /** The file that `onnx` is about, and what is open of it once its graphs were asked for. */
  #graphFile = "";
  #graphContent: FileContent | undefined;

  constructor(folder: string, entry: string | undefined) {
    this.#folder = folder;
    this.#entry = entry;
  }

  file(path: string, bytes: number): void {
    const isEntry = path === this.#entry;
    try {
      const { format, content } = openContent(join(this.#folder, path), path);
      content.close();
      this.files.push({ path, bytes, format, ...(content.pickle && { pickle: content.pickle }) });
      this.#add(path, content, isEntry);
    } catch (error) {
      if (isEntry || path === MODEL_YAML) throw error;
      this.files.push({ path, bytes, format: this.#formatOf(path) });
      const { message, offset } = toWireError(error);
      const place = { path: join(this.#folder, path), ...(offset === undefined ? {} : { offset }) };
      this.warnings.push({ code: "file.unreadable", message, ...place });
    }
  }

  data(index: number): ReturnType<FileContent["data"]> {
    const { content, place } = this.#at(index);
    return content.data(place);
  }

  leaf(index: number): LeafValue | undefined {
    const { content, place } = this.#at(index);
    return content.leaf?.(place);
  }

  listLevels(index: number): readonly number[] {
    const { content, place } = this.#at(index);
    return content.listLevels?.(place) ?? [];
  }

  #at(index: number): { readonly content: FileContent; readonly place: number } {
    const place = this.#places[index];
    if (!place) throw new ModelbenchError("internal", `${this.#folder}: has no tensor ${index}.`);
    if (this.#open?.file !== place.file) {
      this.#closeValues();
      this.#open = { file: place.file, content: openContent(join(this.#folder, place.file), place.file).content };
    }
    return { content: this.#open.content, place: place.index };
  }

  graphs(): OnnxGraphs {
    // Kept beside the file that values are read of: a graph is looked through only once.
    this.#graphContent ??= openContent(join(this.#folder, this.#graphFile), this.#graphFile).content;
    const graphs = this.#graphContent.graphs?.();
    if (!graphs) throw new ModelbenchError("internal", `${this.#graphFile}: has no graph.`);
    return graphs;
  }

  close(): void {
    this.#closeValues();
    this.#graphContent?.close();
    this.#graphContent = undefined;
  }

  #closeValues(): void {
    this.#open?.content.close();
    this.#open = undefined;
  }

  #add(path: string, content: ContentFacts, isEntry: boolean): void {
    // The shards are files of the model, which are listed themselves.
    const tensors = content.shards ? [] : content.tensors;
    tensors.forEach((tensor, index) => {
      this.tensors.push(tensor);
      this.#places.push({ file: path, index });
    });
    if (isEntry) this.entryFacts = content;
    this.metadata = new Map(
      isEntry ? [...this.metadata, ...content.metadata] : [...content.metadata, ...this.metadata],
    );
    if (content.onnx && (isEntry || this.onnx === undefined)) {
      this.onnx = content.onnx;
      this.#graphFile = path;
    }
    if (content.pickle) this.pickle = mergedPickle(this.pickle, content.pickle);
    const own = content.shards && join(this.#folder, path);
    this.warnings.push(
      ...content.warnings.filter((warning) => warning.code !== FORMAT_NOT_READ && (!own || warning.path === own)),
    );
  }

  /** A file that cannot be opened is listed all the same. */
  #formatOf(path: string): FileFormat {
    try {
      return formatOf(join(this.#folder, path));
    } catch {
      return "unknown";
    }
  }
}

/** What two files' pickles say together. */
export function mergedPickle(a: PickleFacts | undefined, b: PickleFacts): PickleFacts {
  if (!a) return b;
  const known = new Set(a.imports.map(({ module, name }) => `${module} ${name}`));
  return {
    verdict: worseVerdict(a.verdict, b.verdict),
    imports: [...a.imports, ...b.imports.filter(({ module, name }) => !known.has(`${module} ${name}`))],
    streams: a.streams + b.streams,
    findings: [...a.findings, ...b.findings],
  };
}
