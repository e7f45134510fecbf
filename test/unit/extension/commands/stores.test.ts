import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { addStore } from "../../../../src/extension/commands/addStore";
import { chooseStore } from "../../../../src/extension/commands/chooseStore";
import { removeStore } from "../../../../src/extension/commands/removeStore";
import type { OpenStore, Services } from "../../../../src/extension/services";
import { storeForNew } from "../../../../src/extension/targets";
import { ModelStore } from "../../../../src/store/modelStore";
import { tempFolder } from "../../store/storeKit";
import { type Answers, services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const team: OpenStore = { id: "home:/data/team", kind: "home", label: "team", store: new ModelStore("/data/team") };

/** Services with a further home open, and what was done with them. */
function withTeam(answers: Answers) {
  const { services: made, lines } = services(folder.path, answers);
  const stores: Services["stores"] = { ...made.stores, all: [...made.stores.all, team] };
  return { parts: { ...made, stores }, lines };
}

test("choosing a store opens the folder dialog at once when there is nothing else to offer", async () => {
  const { services: parts, lines } = services(folder.path, { folder: "/data/new" });
  await chooseStore(parts);
  assert.deepEqual(lines, ["folder: Choose the store folder", "choose store: /data/new"]);
});

test("choosing offers the homes used before, and what BentoML uses while the settings say otherwise", async () => {
  const offered = "pick: Choose the store folder [Browse…, /data/old, What BentoML uses]";
  for (const [label, chosen] of [
    ["/data/old", "choose store: /data/old"],
    ["What BentoML uses", "choose store: none"],
    [undefined, undefined],
  ] as const) {
    const { services: made, lines } = services(folder.path, { pick: () => label });
    const storeSettings = { ...made.storeSettings, isChosen: true, recent: ["/data/old", folder.path] };
    await chooseStore({ ...made, storeSettings });
    assert.deepEqual(lines, [offered, ...(chosen === undefined ? [] : [chosen])]);
  }
});

test("a folder that is added is shown; one that is open already is said to be", async () => {
  const { services: parts, lines } = services(folder.path, { folder: "/data/lab" });
  await addStore(parts);
  assert.deepEqual(lines, ["folder: Add a store", "add store: /data/lab", "revealStore: home:/data/lab"]);
  const again = services(folder.path, { folder: folder.path });
  await addStore(again.services);
  assert.equal(again.lines.at(-1), `inform: ${folder.path} is open already.`);
});

test("a further home is removed from its row or by choice; the own store never is", async () => {
  const said = ["remove store: /data/team", "inform: team is not shown any more; its folder stays as it is."];
  const row = withTeam({});
  await removeStore(row.parts, { kind: "root", store: team.id });
  assert.deepEqual(row.lines, said);
  const palette = withTeam({ pick: () => "team" });
  await removeStore(palette.parts);
  assert.deepEqual(palette.lines, ["pick: Remove which store? [team]", ...said]);
  const own = withTeam({});
  await removeStore(own.parts, { kind: "root", store: "own" });
  assert.deepEqual(own.lines, []);
});

test("what is new goes to the own store, or is asked about when further homes are open", async () => {
  const alone = services(folder.path);
  assert.equal((await storeForNew(alone.services, "Where?"))?.id, "own");
  assert.deepEqual(alone.lines, []);
  const several = withTeam({ pick: () => "team" });
  assert.equal(await storeForNew(several.parts, "Where?"), team);
  assert.deepEqual(several.lines, ["pick: Where? [My Store, team]"]);
  assert.equal(await storeForNew(withTeam({}).parts, "Where?"), undefined);
});
