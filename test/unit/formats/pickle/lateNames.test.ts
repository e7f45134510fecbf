import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
import { text } from "../../../fixtures/pickleBypasses";

function facts(bytes: Uint8Array) {
  return readPickleFile(bufferReader(bytes)).facts;
}

function verdict(body: string): string {
  return facts(Buffer.from(`\x80\x04${body}`, "latin1")).verdict;
}

const GETATTR = "cbuiltins\ngetattr\n";
const PARTIAL = "cfunctools\npartial\n";
const TYPE = "cbuiltins\ntype\n";
const POW = "cmath\npow\n";

test("a time zone, which Python writes by getattr, is a plain value", () => {
  // pickle.dumps(datetime(2020, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")), 4) of Python 3.11; pandas 3 writes the same.
  const zoned =
    "gASVfwAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkAQIAAAAAAACUjAhidWlsdGluc5SMB2dldGF0dHKUk5SMCHpvbmVpbmZvlIwIWm9uZUluZm+Uk5SMCV91bnBpY2tsZZSGlFKUjA1FdXJvcGUvQmVybGlulEsBhpRSlIaUUpQu";
  const { verdict: found, imports } = facts(Buffer.from(zoned, "base64"));
  assert.equal(found, "unknown");
  assert.ok(imports.some(({ module, name }) => module === "zoneinfo" && name === "ZoneInfo"));
  assert.ok(imports.every((found) => found.class !== "dangerous"));
});

test("a class inside a class is the same by getattr as by its name", () => {
  assert.equal(verdict(`${GETATTR}cpkg\nOuter\n${text("Inner")}\x86R)\x81.`), "unknown");
  assert.equal(verdict(`${text("pkg")}${text("Outer.Inner")}\x93)\x81.`), "unknown");
});

test("a partial call of a function that is named is as that function", () => {
  // pickle.dumps(functools.partial(math.pow, 2.0), 4) of Python 3.11
  const pow = "gASVQAAAAAAAAACMCWZ1bmN0b29sc5SMB3BhcnRpYWyUk5SMBG1hdGiUjANwb3eUk5SFlFKUKGgFR0AAAAAAAAAAhZR9lE50lGIu";
  assert.equal(facts(Buffer.from(pow, "base64")).verdict, "unknown");
  assert.equal(verdict(`${PARTIAL}cos\nsystem\n\x85R.`), "dangerous");
});

test("getattr stays dangerous wherever it reaches further, or is handed on", () => {
  const reached: readonly string[] = [
    `${GETATTR}.`,
    `${GETATTR}0N.`,
    `${GETATTR}\xff`,
    `${GETATTR}\x85.`,
    `](${GETATTR}e.`,
    `}${text("x")}${GETATTR}s.`,
    `cpkg\nmap\n${GETATTR}R.`,
    `${GETATTR}Q.`,
    `${GETATTR}N\x86R.`,
    `${GETATTR}cpkg\nOuter\n${text("__subclasses__")}\x86R.`,
    `${GETATTR}cpkg\nOuter\n${text("Inner.__subclasses__")}\x86R.`,
    `${GETATTR}cpkg\nOuter\n)\x81${text("Inner")}\x86R.`,
    `${GETATTR}cpkg\nOuter\n${text("Inner")}N\x87R.`,
    `(${GETATTR}cpkg\nOuter\n${text("Inner")}o.`,
    `${GETATTR}${GETATTR}${text("Inner")}\x86R.`,
    `${GETATTR}cpkg\nOuter\n${text("x".repeat(150))}\x86\x94R${text("Y")}\x86.${GETATTR}.`,
  ];
  for (const body of reached) assert.equal(verdict(body), "dangerous", JSON.stringify(body));
});

test("what wraps a function stays dangerous where another one may be called by it", () => {
  const bodies: readonly string[] = [
    `${PARTIAL}.`,
    `${PARTIAL}${TYPE}\x85R.`,
    `${PARTIAL}${PARTIAL}\x85R.`,
    `${PARTIAL}${GETATTR}\x85R.`,
    `${PARTIAL}${TYPE}${TYPE}\x85R\x85R.`,
    `${PARTIAL}${POW}\x85R)R.`,
    `${PARTIAL}${PARTIAL}${POW}\x85R\x85R.`,
    `${PARTIAL}${POW}\x85R(${TYPE})}Ntb.`,
    `${PARTIAL}${POW}\x85R]b.`,
    `${PARTIAL}${POW}\x85\x81.`,
    `ccopyreg\n__newobj__\n${PARTIAL}${TYPE}\x86R.`,
    `${PARTIAL})R.`,
    `${PARTIAL}N\x85R.`,
    `cbuiltins\nstaticmethod\n${TYPE}\x85R.`,
    `cbuiltins\nstaticmethod\n${POW}\x85R)R.`,
    `cbuiltins\nproperty\nN${TYPE}\x86R.`,
  ];
  for (const body of bodies) assert.equal(verdict(body), "dangerous", JSON.stringify(body));
});

test("what dill writes for a function of a script contains code, and changes of the script stay dangerous", () => {
  const main = "c__builtin__\n__main__\n";
  const create = `${text("dill._dill")}${text("_create_function")}\x93`;
  assert.equal(verdict(`${create}N${main}\x86R.`), "code");
  assert.equal(verdict(`${main}${text("f")}cpkg\nf\ns.`), "dangerous");
});
