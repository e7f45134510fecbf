import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { ModelStore } from "../../../src/store/modelStore";
import { type Change, NOW, testFaults } from "./faultChange";
import { draftOf, plant, sourcesIn, tempFolder, treeOf, yamlOf } from "./storeKit";

const temp = tempFolder();
after(temp.remove);
const sources = sourcesIn(join(temp.path, "sources"), { "a.bin": "A".repeat(3000), "deep/er/b.txt": "b", empty: "" });

const changes: Change[] = [
  {
    name: "the first save",
    prepare: () => {},
    run: (store) => store.save(draftOf("m", "v2"), sources),
  },
  {
    name: "the save of another version",
    prepare: (home) => plantLatest(home, "v1"),
    run: (store) => store.save(draftOf("m", "v2"), sources),
  },
  {
    name: "deleting the latest version",
    prepare: (home) => {
      plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
      plantLatest(home, "v2");
    },
    run: (store) => store.delete({ name: "m", version: "v2" }),
  },
  {
    name: "deleting the only version",
    prepare: (home) => plantLatest(home, "v2"),
    run: (store) => store.delete({ name: "m", version: "v2" }),
  },
  {
    name: "restoring the latest version",
    prepare: async (home) => {
      plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
      plantLatest(home, "v2");
      await new ModelStore(home, { now: () => NOW }).delete({ name: "m", version: "v2" });
    },
    run: (store) => store.restore("m:v2"),
  },
  {
    name: "restoring the only version",
    prepare: async (home) => {
      plantLatest(home, "v2");
      await new ModelStore(home, { now: () => NOW }).delete({ name: "m", version: "v2" });
    },
    run: (store) => store.restore("m:v2"),
  },
  {
    name: "adopting a staged folder",
    prepare: (home) => plantLatest(home, "v1"),
    run: (store) => adoptOne(store, false),
  },
  {
    name: "replacing a version",
    prepare: (home) => {
      plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
      plantLatest(home, "v2");
    },
    run: (store) => adoptOne(store, true),
    keeps: "/m/v2/model.yaml",
  },
  {
    name: "replacing the only version",
    prepare: (home) => plantLatest(home, "v2"),
    run: (store) => adoptOne(store, true),
    keeps: "/m/v2/model.yaml",
  },
  {
    name: "editing a version that was saved here",
    prepare: async (home) => {
      await new ModelStore(home, { now: () => NOW }).save(draftOf("m", "v2"), sources);
    },
    run: (store) => store.edit({ name: "m", version: "v2" }, { labels: { set: { a: "b" }, remove: [] } }),
  },
  {
    name: "purging the trash",
    prepare: inTrash,
    run: (store) => store.purgeTrash(),
    view: trashOf,
    isRemoval: true,
  },
  {
    name: "emptying the trash",
    prepare: inTrash,
    run: (store) => store.emptyTrash(),
    view: trashOf,
    isRemoval: true,
  },
  {
    name: "repairing a torn latest",
    prepare: (home) => {
      plantLatest(home, "v2");
      writeFileSync(join(home, "models/m/latest"), "");
    },
    run: repaired,
    isDamaged: true,
    keeps: "/m/v2/model.yaml",
  },
  {
    name: "repairing a version whose model.yaml is torn",
    prepare: (home) => {
      plant(home, "m", "v1");
      plantLatest(home, "v2");
      writeFileSync(join(home, "models/m/v2/model.yaml"), "name: [");
    },
    run: repaired,
    isDamaged: true,
    keeps: "/m/v1/model.yaml",
  },
  {
    name: "repairing a folder whose name is no tag",
    prepare: (home) => {
      plant(home, "UPPER", "v1");
      plantLatest(home, "v2");
    },
    run: repaired,
    isDamaged: true,
    keeps: "/m/v2/model.yaml",
  },
  {
    name: "repairing a version in the folder of another",
    prepare: (home) => {
      plantLatest(home, "v2");
      plant(home, "other", "v1", "2024-01-01T00:00:00+00:00");
      writeFileSync(join(home, "models/m/v2/model.yaml"), yamlOf("other", "v9", "2024-06-01T00:00:00+00:00"));
      writeFileSync(join(home, "models/other/latest"), "v1");
    },
    run: repaired,
    isDamaged: true,
    keeps: "/other/v1/model.yaml",
  },
  {
    name: "repairing a link that leads nowhere",
    prepare: (home) => {
      plantLatest(home, "v2");
      symlinkSync("nowhere", join(home, "models/m/v9"));
    },
    run: repaired,
    isDamaged: true,
    keeps: "/m/v2/model.yaml",
  },
];

for (const change of changes) testFaults(change, temp.path);

async function adoptOne(store: ModelStore, replace: boolean): Promise<unknown> {
  const folder = await store.stagingFolder();
  try {
    writeFileSync(join(folder, "model.yaml"), yamlOf("m", "v2", "2024-07-01T00:00:00+00:00"));
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "weights.bin"), "weights");
    return await store.adopt(folder, { replace });
  } catch (error) {
    await store.discard(folder);
    throw error;
  }
}

function plantLatest(home: string, version: string): void {
  plant(home, "m", version, "2024-06-01T00:00:00+00:00");
  writeFileSync(join(home, "models", "m", "latest"), version);
}

async function inTrash(home: string): Promise<void> {
  plantLatest(home, "v2");
  await new ModelStore(home, { now: () => NOW - 8 * 24 * 3600 * 1000 }).delete({ name: "m", version: "v2" });
}

/** The entries of the trash with all that is in them, as versions of one name. */
function trashOf(home: string): Record<string, string> {
  const tree = Object.entries(treeOf(join(home, ".modelbench/trash")));
  return Object.fromEntries(tree.flatMap(([path, what]) => (path === "" ? [] : [[`/trash${path}`, what]])));
}

/** A repair tells of its failures in its report. */
async function repaired(store: ModelStore): Promise<void> {
  const [failure] = (await store.repair()).failures;
  if (failure !== undefined) throw failure;
}
