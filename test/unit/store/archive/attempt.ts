import assert from "node:assert/strict";
import { ModelbenchError } from "../../../../src/base/errors";
import { importArchive } from "../../../../src/store/archive/importArchive";
import type { SettableLimits } from "../../../../src/store/archive/limits";
import { ModelStore } from "../../../../src/store/modelStore";
import { HostileArea } from "../../../fixtures/hostileArea";
import { treeOf } from "../../../fixtures/tree";

/** What became of an import into a fresh store. */
export interface Outcome {
  readonly error: ModelbenchError | undefined;
  /** Tag of what came in. */
  readonly tag: string | undefined;
  readonly tree: ReadonlyMap<string, string | undefined> | undefined;
}

/**
 * Imports into a fresh store two folders deep and checks what must hold whatever the archive is.
 * @param folder takes the store and what surrounds it; empty again afterwards
 * @param content the archive's bytes, or what makes the folder that is imported
 */
export async function attempt(
  folder: string,
  fileName: string,
  content: Buffer | ((path: string) => void),
  limits: Partial<SettableLimits> = {},
): Promise<Outcome> {
  const area = new HostileArea(folder, fileName, content);
  try {
    const store = new ModelStore(area.home);
    const keys = ownKeys();
    const { tag, error } = await importArchive(store, { source: area.source, onConflict: "fail", limits }).then(
      (result) => ({ tag: result.tag, error: undefined }),
      (thrown: unknown) => ({ tag: undefined, error: thrown }),
    );
    assert.equal(ownKeys(), keys);
    assert.ok(error === undefined || error instanceof ModelbenchError, `not ours: ${error}`);
    area.assertUnharmed({ ...(tag === undefined ? {} : { tag }), ...(error === undefined ? {} : { error }), said: [] });
    return { error, tag, tree: tag === undefined ? undefined : treeOf(store.get(tag).path) };
  } finally {
    area.remove();
  }
}

const ownKeys = () => Reflect.ownKeys(Object.prototype).map(String).join();
