import type { Verb } from "./verb";
import { check } from "./verbs/check";
import { clean } from "./verbs/clean";
import { compareVerb } from "./verbs/compare";
import { convert } from "./verbs/convert";
import { copy } from "./verbs/copy";
import { deleteModels } from "./verbs/delete";
import { edit } from "./verbs/edit";
import { exportVerb } from "./verbs/export";
import { importVerb } from "./verbs/import";
import { inspect } from "./verbs/inspect";
import { pin, unpin } from "./verbs/pin";
import { restore } from "./verbs/restore";
import { run } from "./verbs/run";
import { save } from "./verbs/save";
import { trash } from "./verbs/trash";

/** Every verb but `list` and `get`: a bundle of its own, loaded when one of them is called. */
export const verbs: Readonly<Record<string, Verb>> = {
  inspect,
  save,
  import: importVerb,
  export: exportVerb,
  delete: deleteModels,
  restore,
  trash,
  check,
  run,
  edit,
  compare: compareVerb,
  convert,
  copy,
  clean,
  pin,
  unpin,
};
