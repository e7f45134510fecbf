/*
 * A bundle of its own: what stands behind pages and editors is read when the first of them is opened.
 */
export { makeObject } from "../../runner/objectSaver";
export { FileEditors } from "./fileEditors";
export { OpenPages } from "./openPages";
