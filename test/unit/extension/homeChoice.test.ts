import assert from "node:assert/strict";
import { test } from "node:test";
import { absolutePath, chooseHome, type HomeSources, namedHomes } from "../../../src/extension/homeChoice";

/** `${name}`, the form with braces. */
const braced = (name: string): string => `\${${name}}`;

function sources(facts: Partial<HomeSources> = {}): HomeSources {
  return {
    storePath: "",
    terminal: {},
    envFile: undefined,
    environment: {},
    userHome: "/home/me",
    workspaceFolder: "/work/project",
    ...facts,
  };
}

const everything = {
  storePath: "/by/setting",
  terminal: { BENTOML_HOME: "/by/terminal" },
  envFile: { path: "/work/project/.env", variables: { BENTOML_HOME: "/by/file" } },
  environment: { BENTOML_HOME: "/by/environment" },
};

test("the setting comes first, then a terminal's variable, the .env file, the environment and ~/bentoml", () => {
  const asked = (facts: Partial<HomeSources>) => {
    const { home, origin, file } = chooseHome(sources({ ...everything, ...facts }));
    return [home, origin, file];
  };
  assert.deepEqual(asked({}), ["/by/setting", "setting", undefined]);
  assert.deepEqual(asked({ storePath: "" }), ["/by/terminal", "terminal", undefined]);
  assert.deepEqual(asked({ storePath: "", terminal: {} }), ["/by/file", "envFile", "/work/project/.env"]);
  const rest = { storePath: "", terminal: {}, envFile: undefined };
  assert.deepEqual(asked(rest), ["/by/environment", "environment", undefined]);
  assert.deepEqual(asked({ ...rest, environment: {} }), ["/home/me/bentoml", "default", undefined]);
});

test("a terminal without the variable does not hear of the environment's", () => {
  for (const value of [null, ""]) {
    const { origin } = chooseHome(
      sources({ ...everything, storePath: "", envFile: undefined, terminal: { BENTOML_HOME: value } }),
    );
    assert.equal(origin, "default");
  }
});

const PATHS: readonly (readonly [string, string | undefined])[] = [
  ["stores/mine", "/work/project/stores/mine"],
  [".", "/work/project"],
  ["~/x", "/home/me/x"],
  [`${braced("userHome")}/x`, "/home/me/x"],
  [`${braced("workspaceFolder")}/../x`, "/work/x"],
  [`$A/${braced("B")}`, "/home/me/a/b"],
  [`${braced("env:B")}/x`, "/work/project/b/x"],
  [`${braced("env:NONE")}/x`, "/x"],
  ["$NONE/x", "/work/project/$NONE/x"],
];

for (const [value, expected] of PATHS) {
  test(`the setting ${value} is ${expected}`, () => {
    const environment = { A: "~/a", B: "b" };
    assert.equal(absolutePath(value, sources({ environment })), expected);
    assert.equal(chooseHome(sources({ environment, storePath: value })).home, expected);
  });
}

test("without a folder that may be trusted, a value that depends on it counts as not set", () => {
  const restricted = { workspaceFolder: undefined, envFile: undefined };
  for (const storePath of ["store", ".", `${braced("workspaceFolder")}/store`]) {
    const { home, origin } = chooseHome(sources({ ...everything, ...restricted, storePath }));
    assert.deepEqual([home, origin], ["/by/terminal", "terminal"], storePath);
  }
});

test("a .env file may use its own variables, those of the terminal and those of the environment", () => {
  const choice = chooseHome(
    sources({
      environment: { ROOT: "/environment", BASE: "/base" },
      terminal: { ROOT: `${braced("workspaceFolder")}/terminal` },
      envFile: { path: "/work/project/.env", variables: { BENTOML_HOME: `$ROOT/${braced("NAME")}`, NAME: "$BASE" } },
    }),
  );
  assert.equal(choice.home, "/work/project/terminal/base");
});

test("further homes are named by label, sorted; what is no path is left out", () => {
  const setting = { team: "/data/team", lab: "~/lab", here: "store", odd: 3, empty: " " };
  assert.deepEqual(namedHomes(setting, sources()), [
    { label: "here", home: "/work/project/store" },
    { label: "lab", home: "/home/me/lab" },
    { label: "team", home: "/data/team" },
  ]);
  const labels = namedHomes(setting, sources({ workspaceFolder: undefined })).map(({ label }) => label);
  assert.deepEqual(labels, ["lab", "team"]);
  for (const odd of [undefined, null, "x", 3]) assert.deepEqual(namedHomes(odd, sources()), []);
});
