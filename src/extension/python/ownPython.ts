import type { PythonView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Disposable } from "../../base/scope";
import { PYTHON_NEEDS } from "../../frameworks/onnx/providers";
import type { OwnPython } from "../page/engineChoice";
import type { Localize, ModelRef } from "../services";
import { chooseInterpreter } from "./chooseInterpreter";
import type { PythonTestPort } from "./pythonTest";
import { readyInterpreter } from "./readyInterpreter";

/** What it takes to find it. */
export interface OwnPythonPort {
  readonly pythonTests: Pick<PythonTestPort, "python" | "trust" | "ui" | "worker">;
  readonly t: Localize;
}

/**
 * The Python that an ONNX model is to be opened in. The model is data, so nobody is asked; an interpreter is looked for
 * and started in a trusted workspace only.
 */
export class OwnPythonTest implements Disposable {
  readonly #ref: ModelRef;
  readonly #port: OwnPythonPort;
  readonly #changed = new Emitter<void>();
  readonly #owned: Disposable[];
  #view: PythonView | null = null;
  /** Whether anybody has asked: models that are not opened in Python need none. */
  #isAsked = false;

  /** Fires when `python` is another one than before. */
  readonly onDidChange = this.#changed.event;

  constructor(ref: ModelRef, port: OwnPythonPort) {
    this.#ref = ref;
    this.#port = port;
    const { python, trust } = port.pythonTests;
    const again = () => {
      if (this.#isAsked) void this.look().catch(() => undefined);
    };
    this.#owned = [python.onDidChange(again), trust.onDidGrant(again)];
  }

  /** `null` in Restricted Mode, and until somebody looked. */
  get python(): PythonView | null {
    return this.#view;
  }

  /** Finds the interpreter anew. @throws ModelbenchError `cancelled` */
  async look(signal?: AbortSignal): Promise<void> {
    const { python, trust } = this.#port.pythonTests;
    this.#isAsked = true;
    if (!trust.isTrusted) return;
    const { view } = await python.find(PYTHON_NEEDS, signal);
    const isSame = JSON.stringify(view) === JSON.stringify(this.#view);
    this.#view = view;
    if (!isSame) this.#changed.fire();
  }

  /** What a load needs of it. @throws ModelbenchError `device.unavailable` in Restricted Mode, `python.missing` */
  async request(signal: AbortSignal | undefined): Promise<OwnPython> {
    const { pythonTests, t } = this.#port;
    await this.look(signal);
    if (this.#view === null) {
      const remedy = t("Trust the workspace, or choose another device.");
      throw new ModelbenchError("device.unavailable", t("No Python is started in Restricted Mode."), { remedy });
    }
    return { interpreter: readyInterpreter(t, this.#ref.tag, this.#view), worker: pythonTests.worker };
  }

  /** Lets the user choose another interpreter. */
  async chooseInterpreter(): Promise<void> {
    const { pythonTests, t } = this.#port;
    await chooseInterpreter(pythonTests.python, pythonTests.ui, t);
  }

  dispose(): void {
    for (const one of this.#owned) void one.dispose();
    this.#changed.dispose();
  }
}
