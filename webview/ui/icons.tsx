import type { VNode } from "preact";

const PATHS = {
  run: "M4 2.5v11l9-5.5z",
  stop: "M3.5 3.5h9v9h-9z",
  copy: "M5 1.5h8.5V11H12V3H5zM2.5 4.5h8v10h-8zM4 6v7h5V6z",
  check: "M13.7 3.6 6.4 12.4 2.3 8.6l1-1.1 3 2.8 6.3-7.6z",
  error: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm.7 10.5H7.3V10h1.4zm0-2.7H7.3V4.3h1.4z",
  warning: "M8 1.5 15.2 14H.8zm.7 10.6v-1.3H7.3v1.3zm0-2.5V6H7.3v3.6z",
  add: "M7.3 2.5h1.4v4.8h4.8v1.4H8.7v4.8H7.3V8.7H2.5V7.3h4.8z",
  remove: "M2.5 7.3h11v1.4h-11z",
  close: "m8 7 3.9-4 1 1L9 8l4 3.9-1 1L8 9l-3.9 4-1-1L7 8 3 4.1l1-1z",
} as const;

/** A small picture beside a text; it says nothing on its own and is not read out. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }): VNode {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
