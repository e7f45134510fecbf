/** WebAssembly text, assembled when it is bundled. */
declare module "*.wat" {
  /** The binary module. */
  export const bytes: Uint8Array<ArrayBuffer>;
}
