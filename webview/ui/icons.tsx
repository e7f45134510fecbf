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
  previous: "m10.3 2.6 1 1L6.9 8l4.4 4.4-1 1L4.9 8z",
  next: "m5.7 2.6-1 1L9.1 8l-4.4 4.4 1 1L11.1 8z",
  close: "m8 7 3.9-4 1 1L9 8l4 3.9-1 1L8 9l-3.9 4-1-1L7 8 3 4.1l1-1z",
  edit: "M11.4 1.3 14.7 4.6 5.2 14.1H1.9v-3.3zM3.3 11.4v1.3h1.3L12.7 4.6l-1.3-1.3z",
  trash:
    "M6 1.5h4V3h4v1.4h-1.1l-.8 10.1H3.9L3.1 4.4H2V3h4zM4.5 4.4l.7 8.7h5.6l.7-8.7zM6.3 6h1.2v5.5H6.3zm2.2 0h1.2v5.5H8.5z",
  export: "M7.3 10.3V4.1L5 6.4l-1-1L8 1.4l4 4-1 1-2.3-2.3v6.2zM2.5 9.3h1.4v3.8h8.2V9.3h1.4v5.2h-11z",
  duplicate: "M1.5 5H4V1.5h10.5V11H11v3.5H1.5zm3.9 0H11v4.6h2.1V2.9H5.4zM2.9 6.4v6.7h6.7V6.4z",
  pin: "m9.7 1.2 5.1 5.1-1 1-.8-.2-2.8 2.8.1 2.6-1 1.1-3.3-3.3-3.3 3.4-.6-.6 3.4-3.4-3.2-3.2 1.1-1 2.6.1 2.8-2.8-.2-.7z",
} as const;

/** The pictures there are. */
export type IconName = keyof typeof PATHS;

/** A small picture beside a text; it says nothing on its own and is not read out. */
export function Icon({ name }: { readonly name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
