import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { editFileMetadata } from "../../../../src/extension/commands/editFileMetadata";
import { inspectFile } from "../../../../src/frameworks/inspect";
import { ModelStore } from "../../../../src/store/modelStore";
import { safetensorsBytes } from "../../../fixtures/safetensors";
import { draftOf, tempFolder } from "../../store/storeKit";
import { type Answers, services } from "../fakeServices";

const { path: folder, remove } = tempFolder();
after(remove);

function file(name: string): string {
  const path = join(folder, name);
  const tensor = `"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}`;
  const metadata = `"__metadata__":{"format":"pt","old":"1","lines":"a\\nb"}`;
  writeFileSync(path, safetensorsBytes(`{${metadata},${tensor}}`, Buffer.from([1, 2])));
  return path;
}

/** Picks these labels one after another; then dismisses. */
function picking(...labels: readonly string[]): Pick<Answers, "pick"> {
  const left = [...labels];
  return { pick: () => left.shift() };
}

suite("editing the metadata of a file", () => {
  test("entries are added, changed and removed, then written at once", async () => {
    const path = file("a.safetensors");
    const answers = picking("Add an Entry…", "format", "Change the Value…", "old", "Remove", "Write 3 Changes");
    const input: Answers["input"] = (title) =>
      title === "Add an Entry" ? ["", "old", "owner"] : title === "owner" ? ["me"] : ["np"];
    const { services: parts, lines } = services(folder, { ...answers, input });
    await editFileMetadata(parts, { fsPath: path });
    const { metadata, tensors } = inspectFile(path, { digest: true });
    assert.deepEqual(Object.fromEntries(metadata), { format: "np", lines: "a\nb", owner: "me" });
    assert.equal(tensors[0]?.sha256, "a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222");
    assert.ok(lines.includes("inform: The metadata of a.safetensors is written; its tensors are as they were."));
  });

  test("the labels and the metadata of a version are put in, and what is there stays", async () => {
    const home = join(folder, "home");
    const path = file("c.safetensors");
    const draft = draftOf("m", "v1", { labels: { owner: "me", format: "other" } });
    await new ModelStore(home).save(draft, [{ from: path, to: "model.safetensors" }]);
    const { services: parts } = services(home, {
      pick: (title, labels) => {
        if (title.startsWith("Fill In")) return labels[0];
        return labels.find((label) => label.startsWith("Write")) ?? "Fill In from a Model…";
      },
    });
    await editFileMetadata(parts, { fsPath: path });
    const { metadata } = inspectFile(path);
    assert.deepEqual(Object.fromEntries(metadata), {
      format: "pt",
      old: "1",
      lines: "a\nb",
      owner: "me",
      "label.format": "other",
    });
  });

  test("nothing is written when the list is dismissed, and an entry of several lines is only removed", async () => {
    const path = file("b.safetensors");
    const { services: parts, lines } = services(folder, picking("lines", "Remove"));
    await editFileMetadata(parts, { fsPath: path });
    assert.deepEqual([...inspectFile(path).metadata.keys()], ["format", "old", "lines"]);
    assert.ok(lines.includes("pick: lines [Remove]"));
    assert.ok(
      lines.at(-1)?.startsWith("pick: Metadata of b.safetensors [Write 1 Changes, Add an Entry…"),
      lines.at(-1),
    );
  });
});
