import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import type { FileView } from "../../../webview/protocol/file";
import { ModelbenchError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import type { ContentRef } from "../../frameworks/contentJobs";
import type { SettableLimits } from "../../store/archive/limits";
import { ArchiveLook } from "./archiveLook";
import { failureView } from "./failureView";
import type { ForeignCopy } from "./foreignFiles";

/** What a document is made from. */
export interface FileDocumentPort {
  readonly name: string;
  /** For display. */
  readonly folder: string;
  /** The file's path; left out for a file that is not on this disk. */
  readonly path: string | undefined;
  /** Copies a file that is not on this disk. @throws ModelbenchError */
  copy(): Promise<ForeignCopy>;
  /** Calls back when the file may have changed, gone or come back. */
  watch(onChange: () => void): Disposable;
  readonly jobs: Jobs;
  limits(): Partial<SettableLimits>;
}

/** How the file was when it was looked at last; `undefined` = it is not there. */
type Mark = { readonly bytes: number; readonly modifiedMs: number; readonly id: string } | undefined;

/** A model file that is open in editors; all editors of one file share one document. */
export class FileDocument implements Disposable {
  /** Names the document to its pages. */
  readonly id = randomBytes(9).toString("base64url");
  readonly look: ArchiveLook;
  readonly #port: FileDocumentPort;
  readonly #changed = new Emitter<"content" | "file">();
  /** Fires `content` when there are other bytes, `file` when only the file itself is another, gone or back. */
  readonly onDidChange = this.#changed.event;
  #path: string | undefined;
  #copy: ForeignCopy | undefined;
  #refusal: ModelbenchError | undefined;
  #isRefusalTold = false;
  #mark: Mark;
  #watch: Disposable | undefined;
  #looking = Promise.resolve();
  #isDisposed = false;

  constructor(port: FileDocumentPort) {
    this.#port = port;
    this.#path = port.path;
    this.look = new ArchiveLook({ jobs: port.jobs, path: () => this.path(), limits: () => port.limits() });
  }

  get name(): string {
    return this.#port.name;
  }

  /** Gets the file, and follows it from now on. Never throws: why it cannot be had is shown. */
  async open(): Promise<void> {
    await this.#fetch();
    this.#mark = await this.#markNow();
    if (!this.#isDisposed) this.#watch = this.#port.watch(() => this.#lookSoon());
  }

  /** Where the bytes are. @throws ModelbenchError when the file cannot be had */
  path(): string {
    if (this.#refusal) throw this.#refusal;
    if (this.#path === undefined) throw new ModelbenchError("file.access", `${this.name}: is not open.`);
    return this.#path;
  }

  /** The content, for the jobs process. @throws ModelbenchError when the file cannot be had */
  ref(): ContentRef {
    return { kind: "file", path: this.path() };
  }

  /**
   * Looks at the file, which changes unheard where a file system tells nothing, and says what is known of it. One that
   * could not be had, as was said before, is asked for once more.
   */
  async looked(): Promise<FileView> {
    if (this.#port.path !== undefined || this.#isRefusalTold) {
      this.#lookSoon();
      await this.#looking;
    }
    this.#isRefusalTold = this.#refusal !== undefined;
    return this.info();
  }

  /** What is known of the file itself. */
  info(): FileView {
    const isCopy = this.#port.path === undefined;
    return {
      name: this.name,
      folder: this.#port.folder,
      bytes: this.#mark?.bytes ?? null,
      modifiedMs: isCopy ? null : (this.#mark?.modifiedMs ?? null),
      isCopy,
      isGone: !this.#refusal && this.#mark === undefined,
      refusal: this.#refusal ? failureView(this.#refusal) : null,
    };
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#watch?.dispose();
    this.#changed.dispose();
    this.look.dispose();
    await this.#copy?.dispose();
  }

  /** One look after another, so that a copy is never made twice at once. */
  #lookSoon(): void {
    this.#looking = this.#looking.then(() => this.#lookNow()).catch(() => undefined);
  }

  async #lookNow(): Promise<void> {
    if (this.#isDisposed) return;
    const before = this.#mark;
    if (this.#port.path === undefined) await this.#fetch();
    this.#mark = await this.#markNow();
    if (before?.id === this.#mark?.id && !this.#copy) return;
    // What was read stays on the screen while the file is gone.
    if (this.#mark) this.look.changed();
    this.#changed.fire(this.#mark ? "content" : "file");
  }

  async #fetch(): Promise<void> {
    if (this.#port.path !== undefined) return;
    try {
      const copy = await this.#port.copy();
      const old = this.#copy;
      this.#copy = copy;
      this.#path = copy.path;
      this.#refusal = undefined;
      await old?.dispose();
      if (this.#isDisposed) await copy.dispose();
    } catch (error) {
      if (!(error instanceof ModelbenchError)) throw error;
      this.#refusal = error;
    }
  }

  async #markNow(): Promise<Mark> {
    if (this.#path === undefined) return undefined;
    try {
      const { dev, ino, isFile, mtimeMs, size } = await stat(this.#path).then((found) => ({
        ...found,
        isFile: found.isFile(),
      }));
      return isFile ? { bytes: size, modifiedMs: mtimeMs, id: [dev, ino, size, mtimeMs].join() } : undefined;
    } catch {
      return undefined;
    }
  }
}
