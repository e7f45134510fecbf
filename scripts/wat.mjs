// esbuild's way from WebAssembly text (`*.wat`) to a module that exports the assembled `bytes`.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

/** Assembled text by its path and content: several bundles hold the same kernel. */
const assembled = new Map();

/** Turns `import { bytes } from "./kernel.wat"` into the bytes of the module; a wrong text is a build error. */
export const wat = {
  name: "wat",
  setup({ onLoad }) {
    onLoad({ filter: /\.wat$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const key = `${path}\0${text}`;
      if (!assembled.has(key)) assembled.set(key, assemble(path, text));
      const base64 = Buffer.from(await assembled.get(key)).toString("base64");
      return { contents: `export const bytes = Buffer.from("${base64}", "base64");`, loader: "js" };
    });
  },
};

async function assemble(path, text) {
  // Read only by the build that meets a text: it takes longer than all else in a small one.
  const { default: wabt } = await import("wabt");
  const module = (await wabt()).parseWat(basename(path), text, { simd: true });
  try {
    module.resolveNames();
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
