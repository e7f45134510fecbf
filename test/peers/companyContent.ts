/** The content that a version of this tag is given: nobody else's fits it. */
export function contentOf(tag: string): Buffer {
  return Buffer.alloc(20_000, `${tag} `);
}

export { draftOf } from "../unit/store/storeKit";
