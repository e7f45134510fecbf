import { build } from "esbuild";
// Replaced soon by the full build; enough for unit work.
