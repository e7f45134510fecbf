import { ModelbenchError } from "../../base/errors";
import { MODEL_YAML } from "../layout";
import type { ModelInfo } from "../model";
import { parseModelInfo } from "../modelYaml/modelInfo";
import { formatTag } from "../tag";
import type { SafeMember, SafeSink } from "./gate";

/** Passes members on and reads `model.yaml` on its way; the gate lets only one of at most 1 MiB through. */
export class ModelYamlSink implements SafeSink {
  readonly #next: SafeSink | undefined;
  readonly #onModel: (info: ModelInfo, text: string) => void;
  #yaml: Buffer[] | undefined;

  /** @param onModel hears the parsed file before the next member; what it throws ends the import */
  constructor(next: SafeSink | undefined, onModel: (info: ModelInfo, text: string) => void) {
    this.#next = next;
    this.#onModel = onModel;
  }

  open(member: SafeMember): void {
    if (member.path === MODEL_YAML && member.kind === "file") this.#yaml = [];
    this.#next?.open(member);
  }

  write(chunk: Uint8Array): void {
    this.#yaml?.push(Buffer.from(chunk));
    this.#next?.write(chunk);
  }

  /** @throws ModelbenchError `yaml.invalid`, `tag.invalid`, `archive.unsafe` */
  close(): void {
    this.#next?.close();
    const yaml = this.#yaml;
    this.#yaml = undefined;
    if (yaml) this.#read(Buffer.concat(yaml));
  }

  #read(bytes: Buffer): void {
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new ModelbenchError("yaml.invalid", "model.yaml is not UTF-8 text.", { cause });
    }
    const info = parse(text);
    if (info.tag.version === "latest") {
      const message = `model.yaml: the model calls itself ${formatTag(info.tag)}; "latest" is the store's own word.`;
      throw new ModelbenchError("archive.unsafe", message, {
        remedy: "Give it a version of its own and pack it again.",
      });
    }
    this.#onModel(info, text);
  }
}

/** A failure about a tag or about YAML as such does not know which file it is about. */
function parse(text: string): ModelInfo {
  try {
    return parseModelInfo(text, MODEL_YAML);
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.message.startsWith(MODEL_YAML)) throw error;
    const { code, message, remedy, offset } = error;
    throw new ModelbenchError(code, `${MODEL_YAML}: ${message}`, { remedy, offset, cause: error });
  }
}
