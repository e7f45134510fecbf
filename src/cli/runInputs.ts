import { resolve } from "node:path";
import { addAbortSignal } from "node:stream";
import { ModelbenchError } from "../base/errors";
import { parseExactJson, stringifyExact } from "../formats/jsonExact";
import type { MethodSignature } from "../formats/tensor";
import type { ExampleInputs } from "../frameworks/example";
import type { InputForm, InputValue } from "../runner/protocol";
import { statOf } from "../store/modelFiles";

/** Where inputs come from beside the command line's words. */
export interface InputSources {
  /** Fills in what was not given. */
  readonly example: ExampleInputs | undefined;
  /** What JSON becomes where nothing is declared; set for models that need Python. */
  readonly form: InputForm | undefined;
}

/**
 * The inputs of one run from `--input NAME=V` words: `-` reads JSON from standard input, an existing file is read by
 * its extension, anything else must parse as JSON.
 * @throws ModelbenchError `input.notFound`, `input.name`, `usage`; AbortError when `signal` fires while it reads
 */
export async function readInputs(
  signature: MethodSignature,
  given: readonly string[],
  { example, form }: InputSources,
  signal: AbortSignal,
): Promise<Readonly<Record<string, InputValue>>> {
  const inputs = new Map<string, InputValue>();
  refuseNoExample(signature, example);
  for (const [name, json] of Object.entries(example ?? {})) inputs.set(name, { kind: "json", value: json });
  const named = new Set<string>();
  let isPiped = false;
  for (const word of given) {
    const [name, text] = splitInput(signature, word);
    if (named.has(name)) throw new ModelbenchError("usage", `--input ${name} is given twice.`);
    named.add(name);
    if (text === "-" && isPiped) throw new ModelbenchError("usage", "Standard input can fill one --input only.");
    isPiped ||= text === "-";
    inputs.set(name, text === "-" ? { kind: "text", text: await readStandardInput(signal) } : inputValue(name, text));
  }
  return Object.fromEntries([...inputs].map(([name, value]) => [name, form ? inForm(value, form) : value] as const));
}

/** JSON goes as text: what it becomes is decided where it is read. */
function inForm(value: InputValue, form: InputForm): InputValue {
  if (value.kind === "json") return { kind: "text", text: stringifyExact(value.value), form };
  return value.kind === "text" || value.kind === "file" ? { ...value, form } : value;
}

/** Where nothing is declared, nothing can be made up. */
function refuseNoExample({ isOpen }: MethodSignature, example: ExampleInputs | undefined): void {
  if (!isOpen || example === undefined || Object.keys(example).length > 0) return;
  throw new ModelbenchError("input.notFound", "The model has no example: its metadata has no `input_example`.", {
    remedy: "Give its values with --input.",
  });
}

/** Names may hold `=`: the longest declared one that fits wins; an undeclared one is refused later, by name. */
function splitInput(signature: MethodSignature, word: string): [string, string] {
  const declared = signature.inputs
    .map(({ name }) => name)
    .filter((name) => word.startsWith(`${name}=`))
    .sort((a, b) => b.length - a.length)[0];
  const at = declared === undefined ? word.indexOf("=") : declared.length;
  if (at <= 0) throw new ModelbenchError("usage", `--input takes NAME=VALUE; got ${JSON.stringify(word)}.`);
  return [word.slice(0, at), word.slice(at + 1)];
}

/** Piece by piece, so that Ctrl+C is heard while somebody types. */
async function readStandardInput(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(chunk);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new ModelbenchError("format.corrupt", "Standard input is no UTF-8 text, as JSON is.", { cause });
  }
}

function inputValue(name: string, text: string): InputValue {
  if (statOf(text)?.isFile()) return { kind: "file", path: resolve(text) };
  try {
    parseExactJson(text);
    return { kind: "text", text };
  } catch (cause) {
    throw new ModelbenchError(
      "input.notFound",
      `${name}: ${JSON.stringify(text)} is neither an existing file nor JSON.`,
      {
        cause,
        remedy:
          'Give a .json, .npy or .pb file, JSON such as [[1, 2]] or "text" with its quotes, or - for JSON on standard input.',
      },
    );
  }
}
