import { ModelbenchError } from "../../base/errors";
import { hasUnseen, visible } from "../../base/visible";

/** What file systems allow for one name. */
const MAX_COMPONENT_BYTES = 255;
/** Leaves room for the store's own folders below what systems allow for a path. */
const MAX_PATH_BYTES = 1024;
const MAX_DEPTH = 32;

/** Device names of Windows, superscript digits included, whatever follows the first dot. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$/i;

/**
 * The path a member asks for, relative with `/`; `""` is the model's own folder. A leading `./` and a directory's
 * trailing `/` are dropped; every other oddity is refused and never mended, on every system alike, so that a store
 * can be carried from one to another.
 * @throws ModelbenchError `archive.unsafe`
 */
export function memberPath(rawPath: Uint8Array, kind: "file" | "directory"): string {
  const text = decode(rawPath);
  const refuse = (why: string) =>
    new ModelbenchError("archive.unsafe", `The archive holds a member "${visible(text)}" ${why}.`);
  if (kind === "directory" && (text === "." || text === "./")) return "";
  const inner = text.startsWith("./") ? text.slice(2) : text;
  const path = kind === "directory" && inner.endsWith("/") ? inner.slice(0, -1) : inner;
  if (path === "") throw refuse("without a name");
  if (path.startsWith("/")) throw refuse("with an absolute path");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refuse(`whose path is longer than ${MAX_PATH_BYTES} bytes`);
  if (hasUnseen(path)) throw refuse("with control or text-direction characters in its name");
  if (path.includes("\\")) throw refuse("with a backslash in its name");
  if (path.includes(":")) throw refuse("with a colon in its name");
  const components = path.split("/");
  if (components.length > MAX_DEPTH) throw refuse(`more than ${MAX_DEPTH} folders deep`);
  for (const component of components) {
    const why = componentFault(component);
    if (why) throw refuse(why);
  }
  return path;
}

/**
 * A text that is equal for paths which some file system takes for one: case and canonical Unicode forms folded,
 * ligatures and the like through their upper case.
 */
export function collisionKey(path: string): string {
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

function componentFault(component: string): string | undefined {
  if (component === "") return "with an empty part in its path";
  if (component === "." || component === "..") return `with "${component}" in its path`;
  if (Buffer.byteLength(component) > MAX_COMPONENT_BYTES) return `with a name longer than ${MAX_COMPONENT_BYTES} bytes`;
  if (component.endsWith(".") || component.endsWith(" ")) return "with a name that ends in a dot or a space";
  const stem = component.split(".", 1)[0] ?? "";
  if (DEVICE.test(stem.trimEnd())) return "with a name that Windows keeps for a device";
  return undefined;
}

function decode(rawPath: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(rawPath);
  } catch {
    const shown = visible(Buffer.from(rawPath.subarray(0, 400)).toString("latin1"));
    throw new ModelbenchError("archive.unsafe", `The archive holds a member "${shown}" whose name is not UTF-8.`);
  }
}
