import { isTuple, type PythonLiteral } from "./pythonLiteral";

/** Whether a type holds Python objects, itself or in a field. */
export type Objects = "none" | "stated" | "unclear";

/** Types by kind and width, or by one letter; dates have a unit. */
const SHORT = /^[<>|=]?(?:[biufcSUVa][0-9]+|[Mm]8?(?:\[[0-9A-Za-z/]*\])?|[?bBhHiIlLqQefdgFDGSUVcpPnN])$/;
const NAME = /^(?:bool|u?int(?:8|16|32|64)|float(?:16|32|64)|complex(?:64|128)|str|bytes|void)$/;
const OBJECTS = /^(?:[<>|=]?O[0-9]*|object_?)$/;

/**
 * Whether the type of an NPY header holds Python objects. numpy has more spellings than are known here, so what is not
 * surely plain is `unclear`.
 * @see numpy lib/format.py, descr_to_dtype
 */
export function objectsOf(descr: PythonLiteral): Objects {
  if (typeof descr === "string") return ofText(descr);
  if (isTuple(descr)) return descr.length === 2 ? ofShaped(descr[0], descr[1]) : "unclear";
  return Array.isArray(descr) ? worst(descr.map(ofField)) : "unclear";
}

function ofText(text: string): Objects {
  if (OBJECTS.test(text)) return "stated";
  return SHORT.test(text) || NAME.test(text) ? "none" : "unclear";
}

/** `(name, type)` or `(name, type, shape)`. */
function ofField(field: PythonLiteral): Objects {
  if (!Array.isArray(field) || field.length < 2 || field.length > 3) return "unclear";
  const [, type, shape = 1] = field;
  return ofShaped(type, shape);
}

/** In the place of a shape numpy takes another type, too. */
function ofShaped(type: PythonLiteral | undefined, shape: PythonLiteral | undefined): Objects {
  const lengths: readonly (PythonLiteral | undefined)[] = Array.isArray(shape) ? shape : [shape];
  const isShape = lengths.every((length) => typeof length === "number");
  return worst([type === undefined ? "unclear" : objectsOf(type), isShape ? "none" : "unclear"]);
}

function worst(all: readonly Objects[]): Objects {
  if (all.includes("stated")) return "stated";
  return all.includes("unclear") ? "unclear" : "none";
}
