import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ARCHIVE_LIMITS, type ArchiveLimits } from "../../../../src/store/archive/limits";
import { fc } from "../../../fixtures/fastCheck";
import { modelYaml } from "../../../fixtures/hostileArchives";
import { paxBody, rawMember, tarOf } from "../../../fixtures/rawTar";
import { type RawZipMember, zipOf } from "../../../fixtures/rawZip";
import { tempFolder } from "../storeKit";
import { attempt } from "./attempt";
import { type Passed, readThroughGate } from "./readThroughGate";

const soak = process.env["MODELBENCH_SOAK"] === "1";
const GATE_RUNS = soak ? 20_000 : 2000;
const IMPORT_RUNS = soak ? 2000 : 200;

const { path: folder, remove } = tempFolder();
after(remove);

/** A member as a list of members has it, before it is written as one format or another. */
interface Listed {
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "pipe";
  readonly content: Buffer;
  readonly executable: boolean;
}

const YAML: Listed = { path: "model.yaml", kind: "file", content: modelYaml(), executable: false };
const SYMBOLIC = 0o120777;
const PIPE = 0o010644;

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "d", "A", "B", "é", "fi") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "..",
      ".",
      "",
      "e\u0301",
      "con",
      "a.",
      "a:b",
      "x\\y",
      "ﬁ",
      "c\u0007",
      "\u202e",
      "model.yaml",
    ),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 3 }).filter((text) => !/[\0/]/.test(text)) },
);

const listed: fc.Arbitrary<Listed> = fc.record({
  path: fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([dot, parts]) => (dot ? "./" : "") + parts.join("/")),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant("file" as const) },
    { weight: 6, arbitrary: fc.constant("folder" as const) },
    { weight: 1, arbitrary: fc.constantFrom("link" as const, "pipe" as const) },
  ),
  content: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  executable: fc.boolean(),
});

const limits: fc.Arbitrary<ArchiveLimits> = fc
  .record({
    members: fc.constantFrom(ARCHIVE_LIMITS.members, 4, 2),
    expandedBytes: fc.constantFrom(ARCHIVE_LIMITS.expandedBytes, modelYaml().length + 50, modelYaml().length),
  })
  .map((chosen) => ({ ...ARCHIVE_LIMITS, ...chosen }));

/** The description comes somewhere among the others. */
const lists = fc
  .tuple(fc.array(listed, { maxLength: 5 }), fc.nat(5))
  .map(([members, at]) => [...members.slice(0, at), YAML, ...members.slice(at)]);

function asTar(members: readonly Listed[]): Buffer {
  const types = { file: "0", folder: "5", link: "2", pipe: "6" } as const;
  return tarOf(
    ...members.flatMap(({ path, kind, content, executable }) => [
      rawMember({ name: "p", type: "x", content: paxBody(["path", path]) }),
      rawMember({
        name: "m",
        type: types[kind],
        content: kind === "file" ? content : Buffer.alloc(0),
        mode: executable ? 0o755 : 0o644,
      }),
    ]),
  );
}

function asZip(members: readonly Listed[]): Buffer {
  return zipOf(
    members.map(({ path, kind, content, executable }): RawZipMember => {
      if (kind === "folder") return { name: path.endsWith("/") ? path : `${path}/` };
      if (kind !== "file") return { name: path, content, mode: kind === "link" ? SYMBOLIC : PIPE };
      return { name: path, content, mode: executable ? 0o100755 : 0o100644 };
    }),
  );
}

/** The rules said once more, without sharing a line with the gate; `undefined`: it is to be refused. */
function oracle(members: readonly Listed[], { members: most, expandedBytes }: ArchiveLimits): Passed | undefined {
  const fold = (text: string) => text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
  const passed = new Map<string, { kind: string; executable: boolean; content: string }>();
  const files = new Set<string>();
  const folders = new Map<string, { spelled: string; announced: boolean }>();
  if (members.length > most) return undefined;
  let bytes = 0;
  for (const { path, kind, content, executable } of members) {
    if (kind === "link" || kind === "pipe") return undefined;
    const isFolder = kind === "folder";
    if (isFolder && (path === "." || path === "./")) continue;
    const name = path.replace(/^\.\//, "").replace(isFolder ? /\/$/ : /$^/, "");
    const parts = name.split("/");
    if (parts.some((p) => !/^(?!\.{1,2}$)[^\p{Cc}\u202e\\:]*[^\p{Cc}\u202e\\:. ]$/u.test(p))) return undefined;
    if (parts.some((p) => /^(con|prn|aux|nul|com\d|lpt\d) *(\.|$)/i.test(p))) return undefined;
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join("/");
      if (files.has(fold(parent))) return undefined;
      const known = folders.get(fold(parent));
      if (known && known.spelled !== parent) return undefined;
      if (!known) folders.set(fold(parent), { spelled: parent, announced: false });
    }
    const known = folders.get(fold(name));
    if (files.has(fold(name)) || (known && (!isFolder || known.announced || known.spelled !== name))) return undefined;
    if (isFolder) folders.set(fold(name), { spelled: name, announced: true });
    else files.add(fold(name));
    if (!isFolder) bytes += content.length;
    if (bytes > expandedBytes) return undefined;
    passed.set(name, {
      kind: isFolder ? "directory" : "file",
      executable: !isFolder && executable,
      content: isFolder ? "" : content.toString("base64"),
    });
  }
  return passed;
}

/** What passed, with the executable bits of files only: those of folders mean something else. */
function essence(passed: Passed): Passed {
  return new Map(
    [...passed].map(([path, member]) => [path, { ...member, executable: member.kind === "file" && member.executable }]),
  );
}

test("of any list of members what an independent reading of the rules lets pass comes out, from tar and zip", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(lists, limits, async (members, chosen) => {
      const expected = oracle(members, chosen);
      if (expected) accepted++;
      for (const archive of [asTar(members), asZip(members)]) {
        const outcome = await readThroughGate(archive, chosen);
        if (expected) assert.deepEqual(typeof outcome === "string" ? outcome : essence(outcome), expected);
        else assert.match(String(outcome), /^archive\.(unsafe|corrupt)$/);
      }
    }),
    { numRuns: GATE_RUNS },
  );
  // A generator that only makes one kind would prove nothing.
  assert.ok(accepted > GATE_RUNS / 20 && accepted < GATE_RUNS * 0.95, `${accepted} of ${GATE_RUNS} are to pass`);
});

test("of any list of members the store holds all of them or nothing", async () => {
  await fc.assert(
    fc.asyncProperty(lists, limits, fc.boolean(), async (members, chosen, zipped) => {
      const expected = oracle(members, chosen);
      const { members: most, expandedBytes } = chosen;
      const [name, archive] = zipped ? ["m.zip", asZip(members)] : ["m.tar", asTar(members)];
      const { error, tree } = await attempt(folder, name, archive, { members: most, expandedBytes });
      if (!expected) return assert.ok(error, "it was let in");
      assert.equal(error, undefined, error?.message);
      const found = [...(tree ?? [])].filter(([, content]) => content !== undefined);
      const files = [...expected]
        .filter(([, { kind }]) => kind === "file")
        .map(([path, { content }]) => [path, content]);
      assert.deepEqual(new Map(found), new Map(files as [string, string][]));
    }),
    { numRuns: IMPORT_RUNS },
  );
});
