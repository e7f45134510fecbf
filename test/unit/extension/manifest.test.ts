import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { commandTable } from "../../../src/extension/commandTable";
import { CONTEXT_KEYS, DETAILS_EDITOR, FILE_EDITORS, VIEWS } from "../../../src/extension/ids";

interface MenuEntry {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}

interface Manifest {
  readonly main: string;
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category: string; readonly title: string }[];
    readonly menus: Readonly<Record<string, readonly MenuEntry[]>>;
    readonly keybindings: readonly { readonly command: string; readonly when: string }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly viewsContainers: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly customEditors: readonly {
      readonly viewType: string;
      readonly selector: readonly { readonly filenamePattern: string }[];
      readonly priority: string;
    }[];
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  };
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
}

const text = readFileSync("package.json", "utf8");
const manifest: Manifest = JSON.parse(text);
const strings: Record<string, string> = JSON.parse(readFileSync("package.nls.json", "utf8"));
const { contributes } = manifest;
const commands = contributes.commands.map(({ command }) => command);

test("the contributed commands are those with a handler, each once", () => {
  assert.deepEqual([...commands].sort(), Object.keys(commandTable).sort());
});

test("every string that a user sees is in package.nls.json, and nothing there is unused", () => {
  const used = new Set([...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key ?? ""));
  assert.deepEqual([...used].sort(), Object.keys(strings).sort());
  const seen = /^(displayName|description|title|name|category|contents|contextualTitle|markdownDescription)$/;
  const literal: string[] = [];
  JSON.parse(text, (key, value) => {
    if (typeof value === "string" && seen.test(key) && !/^%.+%$/.test(value)) literal.push(`${key}: ${value}`);
    return value;
  });
  assert.deepEqual(literal, ["name: modelbench"]);
});

test("every menu, key binding and welcome text refers to a command that exists", () => {
  const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map(({ command }) => command);
  const linked = Object.values(strings).flatMap((line) =>
    [...line.matchAll(/\(command:([\w.]+)/g)].map(([, command]) => command ?? ""),
  );
  const foreign = ["workbench.action.openSettings"];
  for (const command of [...used, ...linked]) {
    assert.ok(commands.includes(command) || foreign.includes(command), command);
  }
});

test("the palette hides what only makes sense on a tree row or a file, and shows the rest", () => {
  const hidden = (contributes.menus["commandPalette"] ?? []).filter(({ when }) => when === "false");
  const onRows = [
    "compareSelected",
    "copyPath",
    "editMetadataInFile",
    "restoreFromTrash",
    "revealInOs",
    "saveAsModel",
    "showMore",
    "showWhatChanged",
  ].map((name) => `modelbench.${name}`);
  assert.deepEqual(hidden.map(({ command }) => command).sort(), onRows);
});

test("what deletes stands last in its menu, in a group of its own", () => {
  const groups = (contributes.menus["view/item/context"] ?? []).map(({ group = "" }) => group);
  const last = groups
    .filter((group) => group !== "" && !group.startsWith("inline"))
    .sort()
    .at(-1);
  assert.equal(last, "9_destructive@1");
  assert.equal(groups.filter((group) => group.startsWith("9_destructive")).length, 1);
});

test("a row has at most two buttons and the view's title at most four", () => {
  const inline = (contributes.menus["view/item/context"] ?? []).filter(({ group }) => group?.startsWith("inline"));
  const title = (contributes.menus["view/title"] ?? []).filter(({ group }) => group?.startsWith("navigation"));
  for (const view of [VIEWS.models, VIEWS.trash, VIEWS.loaded]) {
    assert.ok(inline.filter(({ when }) => when?.startsWith(`view == ${view} `)).length <= 2, view);
  }
  for (const keys of [
    [],
    [CONTEXT_KEYS.sampleOpen],
    [CONTEXT_KEYS.filtered],
    [CONTEXT_KEYS.sampleOpen, CONTEXT_KEYS.filtered],
  ]) {
    const shown = title.filter(({ when }) => holds(when ?? "", new Set<string>(keys)));
    assert.ok(shown.length <= 4, `${keys}: ${shown.map(({ command }) => command)}`);
  }
});

/** Whether a clause of terms joined by && holds in the models view while these context keys are set. */
function holds(when: string, keys: ReadonlySet<string>): boolean {
  return when.split(" && ").every((term) => {
    if (term.startsWith("view == ")) return term === `view == ${VIEWS.models}`;
    return term.startsWith("!") ? !keys.has(term.slice(1)) : keys.has(term);
  });
}

test("keys are bound only while a view of ours has the focus", () => {
  for (const { when } of contributes.keybindings) assert.match(when, /^focusedView == modelbench\.(models|loaded)\b/);
});

test("views, welcome texts and icons exist under the ids that the code uses", () => {
  const views = Object.values(contributes.views).flat();
  assert.deepEqual(views.map(({ id }) => id).sort(), Object.values(VIEWS).sort());
  const icons = [...views, ...Object.values(contributes.viewsContainers).flat()].map(({ icon }) => icon);
  for (const icon of icons) assert.ok(existsSync(icon), icon);
  for (const { view } of contributes.viewsWelcome) assert.ok(views.some(({ id }) => id === view));
  assert.deepEqual(manifest.activationEvents, [`onWebviewPanel:${DETAILS_EDITOR}`]);
});

test("our editors are the first choice for our own formats, and offered for those that others open too", () => {
  const byType = new Map(contributes.customEditors.map((editor) => [editor.viewType, editor]));
  assert.deepEqual([...byType.keys()].sort(), Object.values(FILE_EDITORS).sort());
  const patterns = (type: string) => byType.get(type)?.selector.map(({ filenamePattern }) => filenamePattern);
  assert.deepEqual(patterns(FILE_EDITORS.archive), ["*.bentomodel"]);
  assert.deepEqual(patterns(FILE_EDITORS.safetensors), ["*.safetensors", "*.safetensors.index.json"]);
  assert.equal(byType.get(FILE_EDITORS.archive)?.priority, "default");
  assert.equal(byType.get(FILE_EDITORS.safetensors)?.priority, "default");
  assert.equal(byType.get(FILE_EDITORS.file)?.priority, "option");
});

test("context keys in when clauses are those that the code sets", () => {
  const known = new Set<string>([CONTEXT_KEYS, VIEWS, FILE_EDITORS].flatMap((ids) => Object.values(ids)));
  const clauses = [...text.matchAll(/"when": "([^"]*)"/g)].flatMap(
    ([, when = ""]) => when.match(/modelbench\.\w+/g) ?? [],
  );
  for (const key of clauses) assert.ok(known.has(key), key);
});

test("every setting has a default and a description, and a path or a limit from a workspace counts only when trusted", () => {
  for (const [key, setting] of Object.entries(contributes.configuration.properties)) {
    assert.ok("default" in setting && ("description" in setting || "markdownDescription" in setting), key);
  }
  assert.equal(contributes.configuration.properties["modelbench.storePath"]?.["scope"], "machine-overridable");
  const limits = ["import.maxMembers", "import.maxExpandedGiB", "import.maxRatio"].map((key) => `modelbench.${key}`);
  for (const key of limits) assert.equal(contributes.configuration.properties[key]?.["scope"], "machine-overridable");
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  const python = ["interpreter", "paths", "preload"].map((key) => `modelbench.python.${key}`);
  for (const key of python) assert.equal(contributes.configuration.properties[key]?.["scope"], "machine-overridable");
  for (const key of ["modelbench.storePath", ...limits, ...python]) assert.ok(restricted.includes(key), key);
});
