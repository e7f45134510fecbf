import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { yamlOf } from "../fixtures/modelYaml";
import { openRig, type Rig, shotsFolder } from "./rig";

const VECTORS = join(process.cwd(), "test/fixtures/vectors");

/** Versions whose pickles say something: what each row and page of them tells a person who has not loaded anything. */
suite("what pickles would do, in the real window", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig((store) => {
      const versions = {
        bad: "pickle_hostile/posix_real",
        code: "pickle/bentoml_function",
        plain: "pickle/numpy_p5",
        trees: "pickle/bentoml_pipeline",
      };
      for (const [version, file] of Object.entries(versions)) {
        const folder = join(store, "models/scorer", version);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "model.yaml"), yamlOf("scorer", version, "2024-01-01T00:00:00+00:00"));
        cpSync(join(VECTORS, `${file}.pkl`), join(folder, "saved_model.pkl"));
      }
      writeFileSync(join(store, "models/scorer/latest"), "plain");
    });
    await rig.workbench.openContainer("Modelbench");
  });
  after(() => rig.close());
  const shot = (name: string) => rig.workbench.page.screenshot({ path: join(shotsFolder("pickle"), `${name}.png`) });
  afterEach((context) => shot(context.name.replace(/\W+/g, "-")).then(() => undefined));

  test("each row says in words what its pickle would do", async () => {
    await rig.workbench.row(/^bad.*dangerous/).waitFor();
    await rig.workbench.row(/^code.*runs code/).waitFor();
    await rig.workbench.row(/^plain.*known types/).waitFor();
    await rig.workbench.row(/^trees.*cannot tell/).waitFor();
    const label = await rig.workbench.row(/^bad/).getAttribute("aria-label");
    assert.match(label ?? "", /Calls dangerous functions/);
  });

  test("the page says what it means, and where it is in the file", async () => {
    await rig.workbench.row(/^bad/).click();
    const view = rig.workbench.view();
    await view.getByTestId("section-tab-pickle").click();
    await view.getByTestId("pickle-verdict").getByText("Calls dangerous functions").waitFor();
    await view.getByTestId("pickle-dangerous").getByText("posix.getpid").waitFor();
    await view.getByTestId("pickle-calls").getByText("posix.getpid is called (REDUCE).").waitFor();
  });
});
