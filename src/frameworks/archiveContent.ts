import { Budget } from "../base/budget";
import { ModelbenchError, type Warning } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { fileSize } from "../formats/fileReader";
import type { PickleFacts } from "../formats/pickle/facts";
import type { SettableLimits } from "../store/archive/limits";
import type { ModelInfo } from "../store/model";
import { readArchive } from "./archiveReading";
import type { ContentFacts, FileContent, OnnxFacts } from "./content";
import { type InspectDocument, type InspectedTensor, type InspectOptions, insideOf, plainSignatures } from "./inspect";
import { type InspectedFile, mergedPickle } from "./modelContent";
import { adapterFor } from "./registry";
import { yamlAsData } from "./yamlAsData";

/** Most tensors of one archive that are listed. */
const MAX_TENSORS = 1_000_000;

/**
 * Inspects an archive by the headers of its members while it streams by; nothing is unpacked. `files` are the members
 * and `model` is the `model.yaml` among them.
 * @param path absolute
 * @throws ModelbenchError `archive.unsafe` naming the member, `archive.corrupt`, `archive.format`, `file.access`,
 *   `yaml.invalid`, `tag.invalid`, `budget.exceeded`, `cancelled`
 */
export async function inspectArchive(
  path: string,
  options: InspectOptions & { readonly limits?: Partial<SettableLimits> | undefined } = {},
  jobOptions: JobOptions = {},
): Promise<InspectDocument> {
  const gathered = new Gathered(path, options);
  const { info, warnings } = await readArchive(path, gathered, { ...jobOptions, limits: options.limits });
  return {
    kind: "file",
    format: "archive",
    path,
    bytes: fileSize(path),
    model: yamlAsData(info.document),
    files: gathered.files,
    signatures: signaturesIn(path, info, gathered.declaring),
    tensors: gathered.tensors,
    metadata: gathered.metadata,
    ...(gathered.onnx && { onnx: gathered.onnx }),
    ...(gathered.pickle && { pickle: gathered.pickle }),
    warnings: [...warnings, ...gathered.warnings],
  };
}

/** The methods of a model that is in an archive. @param content what the file that declares methods says */
export function signaturesIn(
  path: string,
  info: ModelInfo,
  content: ContentFacts | undefined,
): InspectDocument["signatures"] {
  const model = { tag: info.tag, path, info, warnings: [] };
  return plainSignatures(adapterFor(info.module)?.signatures(model, content) ?? {});
}

class Gathered {
  readonly files: InspectedFile[] = [];
  readonly tensors: InspectedTensor[] = [];
  readonly warnings: Warning[] = [];
  metadata: ReadonlyMap<string, string> = new Map();
  onnx: OnnxFacts | undefined;
  pickle: PickleFacts | undefined;
  /** The first file that declares methods itself. */
  declaring: ContentFacts | undefined;
  readonly #options: InspectOptions;
  readonly #budget: Budget;

  constructor(path: string, options: InspectOptions) {
    this.#options = options;
    this.#budget = new Budget(path, { nodes: MAX_TENSORS });
  }

  begun(): void {}

  model(): void {}

  passed(file: InspectedFile, content: FileContent | undefined, warnings: readonly Warning[]): void {
    this.files.push(file);
    this.warnings.push(...warnings);
    if (!content) return;
    this.#budget.nodes(content.tensors.length);
    for (const tensor of this.#measured(file.path, content)) this.tensors.push(tensor);
    this.metadata = new Map([...content.metadata, ...this.metadata]);
    this.onnx ??= content.onnx;
    if (content.signatures) this.declaring ??= content;
    if (content.pickle) this.pickle = mergedPickle(this.pickle, content.pickle);
  }

  /** The values of a long member have passed by in part: its tensors are listed without what would be computed of them. */
  #measured(path: string, content: FileContent): readonly InspectedTensor[] {
    try {
      return insideOf(content, this.#options).tensors;
    } catch (error) {
      if (!(error instanceof ModelbenchError) || error.code !== "budget.exceeded") throw error;
      this.warnings.push({ code: "tensor.unreadable", message: error.message, path });
      return content.tensors;
    }
  }
}
