import type { Metafile } from "esbuild";

const layers = ["base", "formats", "tensors", "store", "frameworks", "jobs", "runner", "cli", "extension"];
const runtimeUser = "src/frameworks/onnx/run.ts";

/** One import edge of a bundle, paths from the repository's root. */
interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Every import between two of our own files, or of a module that stays outside the bundle. */
function ownEdges(metafile: Metafile): Edge[] {
  return Object.entries(metafile.inputs).flatMap(([from, input]) =>
    isOurs(from) ? input.imports.map(({ path }) => ({ from, to: path })) : [],
  );
}

function isOurs(path: string): boolean {
  return path.startsWith("src/") || path.startsWith("webview/");
}

/** What breaks the import rules in a bundle's graph, one sentence each; empty when nothing does. */
export function importViolations(metafile: Metafile): string[] {
  return ownEdges(metafile).flatMap((edge) => {
    const why = reason(edge);
    return why ? [`${edge.from} imports ${edge.to}: ${why}`] : [];
  });
}

function reason({ from, to }: Edge): string | undefined {
  if (to === "vscode") return from.startsWith("src/extension/") ? undefined : "only src/extension may";
  if (to === "onnxruntime-node") return from === runtimeUser ? undefined : `only ${runtimeUser} may`;
  if (!isOurs(to)) return undefined;
  if (from.startsWith("webview/protocol/")) return to.startsWith("webview/protocol/") ? undefined : "it is a leaf";
  if (from.startsWith("webview/")) return to.startsWith("webview/") ? undefined : "the page sees the protocol only";
  if (to.startsWith("webview/")) return hostMaySee(from, to) ? undefined : "only src/extension, and the protocol only";
  return downwards(from, to) ? siblingReason(from, to) : "imports go one way";
}

function hostMaySee(from: string, to: string): boolean {
  return from.startsWith("src/extension/") && to.startsWith("webview/protocol/");
}

/** `cli` and `extension` are both on top and do not see each other. */
function downwards(from: string, to: string): boolean {
  const [source, target] = [layerOf(from), layerOf(to)];
  if (source === target) return true;
  return layers.indexOf(target) < layers.indexOf(source) && target !== "cli";
}

function layerOf(path: string): string {
  const layer = path.split("/")[1] ?? "";
  if (!layers.includes(layer)) throw new Error(`${path} lies in no known layer`);
  return layer;
}

/** Adapters never import one another: what two of them share lies beside them. */
function siblingReason(from: string, to: string): string | undefined {
  const [source, target] = [adapterOf(from), adapterOf(to)];
  return source && target && source !== target ? "adapters do not know one another" : undefined;
}

function adapterOf(path: string): string | undefined {
  return /^src\/frameworks\/([^/]+)\//.exec(path)?.[1];
}

/** External modules that a bundle asks for at run time. */
export function externalsOf(metafile: Metafile): Set<string> {
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return new Set(imports.filter((i) => i.external).map((i) => i.path));
}
