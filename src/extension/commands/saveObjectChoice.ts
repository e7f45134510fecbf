import { basename } from "node:path";
import type { PythonFacts } from "../../frameworks/adapter";
import type { ObjectSource, SavedAs } from "../../runner/objectSaver";
import type { PickItem, Services } from "../services";

/** A framework that objects are saved with. */
interface ObjectFramework {
  readonly adapter: SavedAs;
  readonly module: string;
  /** A package whose import in the file suggests it. */
  readonly imports?: string;
  readonly needs: PythonFacts["needs"];
}

/** What an object may be saved as. */
export const FRAMEWORKS: readonly ObjectFramework[] = [
  { adapter: "picklable", module: "bentoml.picklable_model", needs: [["cloudpickle"]] },
  { adapter: "sklearn", module: "bentoml.sklearn", imports: "sklearn", needs: [["scikit-learn"], ["joblib"]] },
  { adapter: "flax", module: "bentoml.flax", imports: "flax", needs: [["flax"], ["jax"], ["jaxlib"], ["cloudpickle"]] },
  { adapter: "onnx", module: "bentoml.onnx", imports: "onnx", needs: [["onnx"]] },
];

/** What is known of the file before anything is asked. */
export interface ObjectFile {
  /** Absolute. */
  readonly file: string;
  /** Names that may be meant, the likeliest first. */
  readonly names: readonly string[];
  readonly adapter: SavedAs;
}

/** What the user chose to save, and how. */
export interface ObjectChoice {
  readonly adapter: SavedAs;
  readonly source: ObjectSource;
  readonly dataFiles: readonly string[];
  /** JSON objects by method. */
  readonly partialKwargs: Readonly<Record<string, string>>;
}

type Step = "run" | "object" | "framework" | "state" | "custom" | "modules" | "data" | "partial";

/** Asks which object, then shows all that can be said beside it until the user goes on; `undefined` = dismissed. */
export async function chooseObject(services: Services, known: ObjectFile): Promise<ObjectChoice | undefined> {
  const { t, ui } = services;
  const stem = basename(known.file, ".py");
  const [name] = known.names;
  const target = await askExpression(services, t("Object to save"), name === undefined ? "" : `${stem}:${name}`, true);
  if (target === undefined) return undefined;
  // Run as a script its classes would be saved with their code, too.
  const source = { file: known.file, target, customObjects: [], externalModules: stem === "__init__" ? [] : [stem] };
  let choice: ObjectChoice = { adapter: known.adapter, source, dataFiles: [], partialKwargs: {} };
  for (;;) {
    const step = await ui.pick(t("Save {0}", choice.source.target), itemsOf(services, choice));
    if (step === undefined) return undefined;
    if (step === "run") return choice;
    choice = (await ASKS[step](services, choice)) ?? choice;
  }
}

function itemsOf({ t }: Services, { adapter, dataFiles, partialKwargs, source }: ObjectChoice): PickItem<Step>[] {
  const none = t("none");
  const listed = (texts: readonly string[]): string => (texts.length === 0 ? none : texts.join(", "));
  const framework = FRAMEWORKS.find((one) => one.adapter === adapter)?.module;
  const takesState = adapter === "flax" || adapter === "auto";
  return [
    { label: t("Go On…"), description: basename(source.file), value: "run" },
    { label: t("Object"), description: source.target, value: "object" },
    { label: t("Framework"), description: framework ?? t("as the object's class tells"), value: "framework" },
    ...(takesState
      ? [{ label: t("State of a Flax module"), description: source.state ?? none, value: "state" } as const]
      : []),
    {
      label: t("Custom objects"),
      description: listed(source.customObjects.map(({ name, expression }) => `${name} = ${expression}`)),
      value: "custom",
    },
    {
      label: t("Modules whose code is saved with it"),
      description: listed(source.externalModules),
      value: "modules",
    },
    {
      label: t("Arguments that every call is given"),
      description: listed(Object.entries(partialKwargs).map(([method, json]) => `${method} = ${json}`)),
      value: "partial",
    },
    { label: t("Data files to remember"), description: listed(dataFiles.map((path) => basename(path))), value: "data" },
  ];
}

type Ask = (services: Services, choice: ObjectChoice) => Promise<ObjectChoice | undefined>;

const ASKS: Readonly<Record<Exclude<Step, "run">, Ask>> = {
  object: async (services, choice) => {
    const target = await askExpression(services, services.t("Object to save"), choice.source.target, true);
    return target === undefined ? undefined : withSource(choice, { target });
  },
  framework: async ({ t, ui }, choice) => {
    const items = FRAMEWORKS.map(({ adapter, module }) => ({ label: module, value: adapter }));
    const auto = { label: t("As the object's class tells"), value: "auto" as const };
    const adapter = await ui.pick<SavedAs>(t("Save as a model of which framework?"), [auto, ...items]);
    return adapter && { ...choice, adapter };
  },
  state: async (services, choice) => {
    const title = services.t("State of a Linen module; empty for one of NNX");
    const state = await askExpression(services, title, choice.source.state ?? "", false);
    return state === undefined ? undefined : withSource(choice, { state: state === "" ? undefined : state });
  },
  custom: async (services, choice) => {
    const { t } = services;
    const shown = choice.source.customObjects.map(({ name, expression }) => `${name} = ${expression}`);
    const added = await askAssignment(
      services,
      t("Custom object: name = expression; a name alone takes it away"),
      shown,
    );
    if (!added) return undefined;
    const others = choice.source.customObjects.filter(({ name }) => name !== added.name);
    const { name, value } = added;
    return withSource(choice, { customObjects: value === "" ? others : [...others, { name, expression: value }] });
  },
  modules: async ({ t, ui }, choice) => {
    const names = await ui.input({
      title: t("Modules whose code is saved with it"),
      prompt: t("Names of modules, with commas between them. Whoever loads the model need not have them."),
      value: choice.source.externalModules.join(", "),
      check: (text) => (listOf(text).every(isModule) ? undefined : t("Names of Python modules are expected.")),
    });
    return names === undefined ? undefined : withSource(choice, { externalModules: listOf(names) });
  },
  partial: async (services, choice) => {
    const { t } = services;
    const shown = Object.entries(choice.partialKwargs).map(([method, json]) => `${method} = ${json}`);
    const title = t('Arguments of a method: predict = {"top": 3}; a method alone takes them away');
    const added = await askAssignment(services, title, shown, isObject);
    if (!added) return undefined;
    const { [added.name]: _, ...others } = choice.partialKwargs;
    const partialKwargs = added.value === "" ? others : { ...others, [added.name]: added.value };
    return { ...choice, partialKwargs };
  },
  data: async ({ t, ui }, choice) => {
    const filters = { [t("All files")]: ["*"] };
    const options = { title: t("Data files to remember"), action: t("Remember"), many: true, filters };
    const dataFiles = await ui.pickFiles(options);
    return dataFiles && { ...choice, dataFiles };
  },
};

function withSource(choice: ObjectChoice, changed: Partial<ObjectSource>): ObjectChoice {
  return { ...choice, source: { ...choice.source, ...changed } };
}

async function askExpression({ t, ui }: Services, title: string, value: string, isNeeded: boolean) {
  const text = await ui.input({
    title,
    prompt: t("module:attribute, or an expression of the file, for instance make_model()"),
    value,
    check: (entered) => (isNeeded && entered.trim() === "" ? t("An attribute or an expression is needed.") : undefined),
  });
  return text?.trim();
}

interface Assignment {
  readonly name: string;
  readonly value: string;
}

async function askAssignment(
  { t, ui }: Services,
  title: string,
  shown: readonly string[],
  isValue: (text: string) => boolean = () => true,
): Promise<Assignment | undefined> {
  const text = await ui.input({
    title,
    prompt: shown.length === 0 ? t("There are none yet.") : t("There are: {0}", shown.join("; ")),
    value: "",
    check(entered) {
      const { name, value } = assignment(entered);
      if (!/^[A-Za-z_][\w.-]*$/.test(name)) return t("A name is expected, and what it stands for behind a =.");
      return value === "" || isValue(value) ? undefined : t("{0}: a JSON object is expected.", name);
    },
  });
  return text === undefined ? undefined : assignment(text);
}

function assignment(text: string): Assignment {
  const at = text.indexOf("=");
  return at < 0
    ? { name: text.trim(), value: "" }
    : { name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function listOf(text: string): string[] {
  return text
    .split(/[,\s]+/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function isModule(name: string): boolean {
  return /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name);
}
