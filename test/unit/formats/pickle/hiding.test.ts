import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { bufferReader } from "../../../../src/formats/bufferReader";
import type { PickleFacts } from "../../../../src/formats/pickle/facts";
import { classOf } from "../../../../src/formats/pickle/importClass";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";

const CALL = Buffer.from("0cos\ngetcwd\n)R.", "latin1");
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const facts = (bytes: Uint8Array): PickleFacts => readPickleFile(bufferReader(bytes)).facts;
const imports = (found: PickleFacts): string[] => found.imports.map(({ module, name }) => `${module}.${name}`);

/** A pickle whose first value is `filler`, which it drops, and which then calls. */
function around(filler: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(filler.length);
  return Buffer.concat([latin1("\x80\x04B"), length, filler, CALL]);
}

suite("code in what looks like something else", () => {
  test("the mark of a tar archive in the middle of a pickle hides nothing", () => {
    const filler = Buffer.alloc(600);
    // Behind the first seven bytes of the pickle.
    filler.write("ustar", 257 - 7, "latin1");
    for (const bytes of [around(filler), gzipSync(around(filler))]) {
      const found = facts(bytes);
      assert.deepEqual([found.verdict, imports(found)], ["dangerous", ["os.getcwd"]]);
    }
  });

  test("a real tar archive is read as a pickle from its first byte, too, and says where it stops being one", () => {
    // The name of the member begins as a pickle that ends before the header does.
    const head = Buffer.alloc(512);
    head.write("cos\ngetcwd\n)R.", 0, "latin1");
    head.write("0", 156, "latin1");
    head.write("00000000001\0", 124, "latin1");
    head.write("ustar\0", 257, "latin1");
    head.write(" ".repeat(8), 148, "latin1");
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const found = facts(Buffer.concat([head, Buffer.alloc(512), Buffer.alloc(512, 1)]));
    assert.deepEqual([found.verdict, imports(found)], ["dangerous", ["os.getcwd"]]);
    assert.ok(found.findings.some(({ kind, offset }) => kind === "tar" && offset === 1024));
  });

  test("a pickle around a zip archive is read to its end", () => {
    const local = Buffer.alloc(31);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(1, 26);
    local.write("a", 30, "latin1");
    const pickle = around(local);
    const central = Buffer.alloc(47);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(1, 28);
    central.writeUInt32LE(7, 42);
    central.write("a", 46, "latin1");
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 8);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(pickle.length, 16);
    const found = facts(Buffer.concat([pickle, central, end]));
    assert.deepEqual([found.verdict, imports(found)], ["dangerous", ["os.getcwd"]]);
  });

  test("a number that only Python's own unpickler reads stops nothing", () => {
    for (const number of ["1_0", "1e999", " 1"]) {
      const bytes = Buffer.concat([latin1(`\x80\x04F${number}\n`), CALL]);
      const found = facts(bytes);
      assert.deepEqual([found.verdict, imports(found)], ["dangerous", ["os.getcwd"]], number);
      assert.ok(
        found.findings.some(({ kind }) => kind === "argument"),
        number,
      );
    }
  });

  test("a pickle that stops inside its frame hides none behind the frame", () => {
    // `load` twice on one file: the first takes the frame, N and STOP first in it, the second what is behind.
    const call = latin1("cos\ngetcwd\n)R.");
    const rest = Buffer.concat([latin1("\x80\x04C"), Buffer.of(call.length)]);
    const frame = Buffer.concat([latin1("N."), rest]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(frame.length));
    const found = facts(Buffer.concat([latin1("\x80\x04\x95"), length, frame, call, latin1(".")]));
    assert.deepEqual([found.verdict, imports(found)], ["dangerous", ["os.getcwd"]]);
  });

  test("results that are called again and again cost no more than one", () => {
    const calls = latin1(")R".repeat(400_000));
    const state = latin1("}b".repeat(90_000));
    const bytes = Buffer.concat([latin1("\x80\x04ccollections\nOrderedDict\n"), calls, state, latin1(".")]);
    const used = process.cpuUsage();
    const found = facts(bytes);
    const { user, system } = process.cpuUsage(used);
    assert.equal(found.verdict, "allowed");
    // Walking along the chain at each call took hours; this is the processor's time, not the clock's.
    assert.ok(user + system < 20_000_000, `${user + system} microseconds`);
  });
});

suite("names that reach other code", () => {
  const dangerous = [
    "dataclasses dataclass",
    "dataclasses make_dataclass",
    "inspect getsource",
    "operator attrgetter",
    "enum reduce",
    "enum bltns",
    "statistics reduce",
    "dataclasses FunctionType",
    "dataclasses builtins",
    "typing types",
    "typing contextlib",
    "queue threading",
    "joblib._memmapping_reducer loads",
    "torch.storage _load_from_bytes",
    "torch._utils _import_dotted_name",
    "torch.utils.model_zoo load_url",
    "pandas.compat.pickle_compat loads",
    "numpy.lib.format read_array",
    "numpy.lib._datasource open",
    "numpy __builtins__",
    "six.moves.builtins eval",
    "six.moves builtins",
    "gevent.os fork",
    "_testcapi run_in_subinterp",
  ];
  for (const pair of dangerous) {
    test(`${pair} is dangerous`, () => {
      const [module = "", name = ""] = pair.split(" ");
      assert.equal(classOf(module, name), "dangerous");
    });
  }

  test("classes of plain values and of libraries are not", () => {
    const pairs = ["collections Counter", "datetime tzinfo", "enum Enum", "random Random", "re _compile"];
    for (const pair of [...pairs, "sklearn.linear_model._logistic LogisticRegression", "mypkg.code.model Net"]) {
      const [module = "", name = ""] = pair.split(" ");
      assert.notEqual(classOf(module, name), "dangerous", pair);
    }
  });

  test("a class that is made while loading is dangerous, the type of a value is not", () => {
    const made = facts(latin1("\x80\x04cbuiltins\ntype\nX\x01\0\0\0X)}\x87R."));
    assert.equal(made.verdict, "dangerous");
    assert.equal(facts(latin1("\x80\x04cbuiltins\ntype\nN\x85R.")).verdict, "unknown");
  });
});

suite("names that only pickling functions and classes by value needs", () => {
  const classes = {
    "_operator getitem": "code",
    "operator getitem": "code",
    "dataclasses Field": "unknown",
    "dataclasses _MISSING_TYPE": "unknown",
    "inspect Signature": "unknown",
    "inspect Parameter": "unknown",
  } as const;
  for (const [pair, expected] of Object.entries(classes)) {
    test(`${pair} is ${expected}`, () => {
      const [module = "", name = ""] = pair.split(" ");
      assert.equal(classOf(module, name), expected);
    });
  }
});
