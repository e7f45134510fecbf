import { Emitter } from "../../../src/base/events";
import type { Jobs } from "../../../src/base/ports";
import { Consents } from "../../../src/extension/python/consent";
import { PythonSetup, type PythonSetupPort, type PythonWindow } from "../../../src/extension/python/pythonSetup";
import type { PythonTestPort } from "../../../src/extension/python/pythonTest";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { t } from "./fakes";

/** State that lasts as long as the test. */
export class MapMemory {
  readonly values = new Map<string, unknown>();

  get(key: string): unknown {
    return this.values.get(key);
  }

  async update(key: string, value: unknown): Promise<void> {
    this.values.set(key, structuredClone(value));
  }
}

/** Consents of a machine of that name. */
export function fakeConsents(memory = new MapMemory(), machine = "here"): Consents {
  return new Consents(memory, { read: () => machine, make: () => machine }, () => Date.UTC(2026, 10, 20));
}

/** A window without folders and settings, but for what is told; jobs are really done. */
export function fakePython(window: Partial<PythonWindow> = {}, port: Partial<PythonSetupPort> = {}): PythonSetup {
  return new PythonSetup({
    jobs: inProcessJobs(),
    window: () => ({
      isTrusted: true,
      settings: { interpreter: "", paths: [], preload: [] },
      folders: [],
      environment: {},
      userHome: "/home/nobody",
      ...window,
    }),
    chosen: async () => [],
    writeInterpreter: async () => undefined,
    addPath: async () => undefined,
    t,
    ...port,
  });
}

/** What models that need Python are tested with: nothing is allowed, and nobody answers. */
export function fakePythonTests(parts: Partial<PythonTestPort> = {}): PythonTestPort {
  const jobs: Jobs = inProcessJobs();
  return {
    jobs,
    trust: { isTrusted: true, onDidGrant: new Emitter<void>().event },
    consents: fakeConsents(),
    python: fakePython(),
    ui: {
      decide: async () => undefined,
      offer: async () => undefined,
      pick: async () => undefined,
      pickFiles: async () => undefined,
    },
    worker: "/extension/dist/python",
    workspace: () => "file:///work",
    folders: () => [],
    whyNotIsolated: async () => undefined,
    t,
    ...parts,
  };
}
