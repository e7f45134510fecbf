import type { PickleView } from "../protocol/content";
import type { StringKey } from "../protocol/strings";
import { formatBytes } from "./format";
import type { Translate } from "./texts";

const KEYS: Readonly<Record<string, StringKey>> = {
  onnx: "format.onnx",
  safetensors: "format.safetensors",
  "flax-msgpack": "format.flax",
  msgpack: "format.msgpack",
  pickle: "format.pickle",
  npy: "format.npy",
  npz: "format.npz",
  archive: "format.archive",
  unknown: "format.unknown",
};

/** A format in words; one that we have no words for as it is. */
export function formatWords(t: Translate, format: string): string {
  const key = KEYS[format];
  return key === undefined ? format : t(key);
}

const VERDICTS: Readonly<Record<string, StringKey>> = {
  dangerous: "verdict.dangerous",
  code: "verdict.code",
  unknown: "verdict.unknown",
  allowed: "verdict.allowed",
};

/** What was found in a pickle, in words; never that it is safe. */
export function verdictWords(t: Translate, verdict: string): string {
  return t(VERDICTS[verdict] ?? "verdict.unclear");
}

/** The same of a pickle that is known whole, with how many imports are not known. */
export function pickleWords(t: Translate, { imports, verdict }: PickleView): string {
  const unknown = imports.filter((one) => one.class === "unknown").length;
  if (verdict !== "unknown") return verdictWords(t, verdict);
  // An array of Python objects needs no import that we do not know.
  return unknown > 0 ? t("pickle.unknownCount", unknown) : t("verdict.unclear");
}

/** A size that is rounded, and what it is exactly. */
export function sizeWords(t: Translate, locale: string, bytes: number): string {
  return bytes < 1024 ? formatBytes(bytes) : t("file.bytes", formatBytes(bytes), bytes.toLocaleString(locale));
}
