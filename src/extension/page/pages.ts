/*
 * A bundle of its own: what stands behind pages and editors is read when the first of them is opened.
 */
export { FileEditors } from "./fileEditors";
export { OpenPages } from "./openPages";
