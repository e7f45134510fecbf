// Makes one change of a store and ends; kill.test.ts kills it on the way. Arguments: change, home, folder of sources.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ModelStore } from "../../src/store/modelStore";
import { draftOf, yamlOf } from "../unit/store/storeKit";

/** The changes that can be made, by name. */
export const CHANGES: Readonly<Record<string, (store: ModelStore, sources: string) => Promise<unknown>>> = {
  save: (store, sources) =>
    store.save(draftOf("m", "v2"), [
      { from: join(sources, "big.bin"), to: "big.bin" },
      { from: join(sources, "small.txt"), to: "deep/small.txt" },
    ]),
  delete: (store) => store.delete({ name: "m", version: "v1" }),
  restore: (store) => store.restore("m:v0"),
  adopt: async (store, sources) => {
    const staged = await store.stagingFolder();
    cpSync(sources, join(staged, "files"), { recursive: true });
    writeFileSync(join(staged, "model.yaml"), yamlOf("m", "v3", "2035-01-01T00:00:00+00:00"));
    return store.adopt(staged);
  },
};

const [change, home, sources] = process.argv.slice(2);
const make = CHANGES[change ?? ""];
if (make !== undefined && home !== undefined && sources !== undefined) void make(new ModelStore(home), sources);
