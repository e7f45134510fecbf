import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Browser, Locator, Page } from "playwright-core";
import { type CompareHandlersPort, compareHandlers } from "../../../src/extension/page/compareHandlers";
import { contentHandlers } from "../../../src/extension/page/contentHandlers";
import { FileDocument, type FileDocumentPort } from "../../../src/extension/page/fileDocument";
import { fileHandlers } from "../../../src/extension/page/fileHandlers";
import { graphHandlers } from "../../../src/extension/page/graphHandlers";
import { noHandlers } from "../../../src/extension/page/noHandlers";
import { saveHandlers, saveSeed } from "../../../src/extension/page/saveHandlers";
import type { SaveFormInitial, SaveFormValues } from "../../../src/extension/services";
import type { ContentRef } from "../../../src/frameworks/contentJobs";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { t } from "../extension/fakes";
import { type HostOptions, makeHost, REF } from "./pageHost";
import { bundlePage, launchBrowser, openRig, type PageRig, type RigOptions } from "./pageRig";
import { irisFacts } from "./sampleModel";

/** Where the pictures go that people look at; nothing compares them. */
const SHOTS = join(process.cwd(), "out", "page");
const axeSource = readFileSync(createRequire(join(process.cwd(), "x")).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let bundle: RigOptions["bundle"];

/** Starts the browser and makes the bundle; call in `before`, and `closeScreens` in `after`. */
export async function startScreens(): Promise<RigOptions["bundle"]> {
  mkdirSync(SHOTS, { recursive: true });
  [browser, bundle] = await Promise.all([launchBrowser(), bundlePage()]);
  return bundle;
}

/** Ends the browser. */
export function closeScreens(): Promise<void> {
  return browser.close();
}

/** A details editor, read and drawn. */
export async function openDetails(host: HostOptions = {}, options: Partial<RigOptions> = {}): Promise<PageRig> {
  const start = { subject: { kind: "details", ...REF }, section: "", edit: null } as const;
  const rig = await openRig(browser, { bundle, start, handlers: makeHost(host).handlers, ...options });
  await rig.page.getByTestId("tag").waitFor();
  return rig;
}

/** The test view, read and drawn. */
export async function openTest(host: HostOptions = {}, options: Partial<RigOptions> = {}): Promise<PageRig> {
  const start = { subject: { kind: "test", ...REF }, section: "test", edit: null } as const;
  const rig = await openRig(browser, { bundle, start, handlers: makeHost(host).handlers, ...options });
  await rig.page.getByTestId("test").waitFor();
  return rig;
}

/** The test view of a model whose host is these handlers. */
export async function openScripted(
  tag: string,
  handlers: ReturnType<RigOptions["handlers"]>,
  options: Partial<RigOptions> = {},
): Promise<PageRig> {
  const start = { subject: { kind: "test", store: "own", tag }, section: "test", edit: null } as const;
  const rig = await openRig(browser, { bundle, start, handlers: () => handlers, ...options });
  await rig.page.getByTestId("test").waitFor();
  return rig;
}

/** A save form and what it will answer with. */
export interface OpenForm extends AsyncDisposable {
  readonly rig: PageRig;
  readonly values: Promise<SaveFormValues | undefined>;
}

/** The save form of one ONNX file. */
export async function openSaveForm(options: Partial<RigOptions> = {}): Promise<OpenForm> {
  const initial: SaveFormInitial = {
    files: ["/home/me/iris.onnx"],
    modules: ["bentoml.onnx", ""],
    redraft: async (module) => ({ ...initial, values: { ...initial.values, module, signatures: {} } }),
    described: irisFacts.signatures,
    values: {
      module: "bentoml.onnx",
      name: "iris",
      version: undefined,
      labels: {},
      metadata: {},
      signatures: { run: { batchable: false, batchDim: [0, 0] } },
    },
    check: (name) => (name.includes(" ") ? `"${name}" is not a name: a space is not allowed.` : undefined),
  };
  const files = [{ path: "iris.onnx", bytes: 5137 }];
  const seed = saveSeed(t, initial, files);
  let finish: (values: SaveFormValues | undefined) => void = () => undefined;
  const values = new Promise<SaveFormValues | undefined>((resolve) => {
    finish = resolve;
  });
  const rig = await openRig(browser, {
    bundle,
    start: { subject: { kind: "save", seed }, section: "", edit: null },
    handlers: () => ({ ...noHandlers, ...saveHandlers(t, initial, async () => files, finish) }),
    ...options,
  });
  await rig.page.getByTestId("save-form").waitFor();
  return { rig, values, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

/** The page of a comparison with the real handlers and jobs behind it. */
export function openComparison(
  refs: ReturnType<CompareHandlersPort["refs"]>,
  options: Partial<RigOptions> = {},
  jobs = inProcessJobs(),
): Promise<PageRig> {
  const nameOf = (ref: ContentRef): string => (ref.kind === "file" ? basename(ref.path) : ref.tag);
  const subject = { kind: "compare", a: nameOf(refs.a), b: nameOf(refs.b) } as const;
  const peers: PageRig["peer"][] = [];
  const handlers = compareHandlers({
    refs: () => refs,
    jobs,
    ui: { copy: async () => undefined },
    progress: (progress) => peers[0]?.send("compare/progress", progress),
  });
  const start = { subject, section: "", edit: null };
  const opening = openRig(browser, { bundle, start, handlers: () => ({ ...noHandlers, ...handlers }), ...options });
  void opening.then(({ peer }) => peers.push(peer));
  return opening;
}

/** The editor of a file, with the real document, handlers and readers behind it. */
export interface OpenFile extends AsyncDisposable {
  readonly rig: PageRig;
  readonly document: FileDocument;
  /** Commands of the extension that the page asked for, with the file's path. */
  readonly commands: string[];
  /** Texts that were put on the clipboard. */
  readonly copied: string[];
}

/** Opens a file as the custom editor does. @param target answers the save dialog */
export async function openFile(
  path: string,
  options: Partial<RigOptions> = {},
  port: Partial<FileDocumentPort> = {},
  target: () => string | undefined = () => undefined,
): Promise<OpenFile> {
  const { jobs = inProcessJobs() } = port;
  const document = new FileDocument({
    name: basename(path),
    folder: dirname(path),
    path,
    copy: () => Promise.reject(new Error("it is on this disk")),
    watch: () => ({ dispose: () => undefined }),
    jobs,
    limits: () => ({}),
    ...port,
  });
  await document.open();
  const commands: string[] = [];
  const copied: string[] = [];
  const ui = { copy: async (text: string) => void copied.push(text), pickTarget: async () => target() };
  const command = async (name: string, file: string): Promise<void> => void commands.push(`${name} ${file}`);
  const handlers = {
    ...noHandlers,
    ...contentHandlers({ ref: () => document.ref(), jobs, ui, t, progress: () => undefined }),
    ...graphHandlers({
      ref: () => document.ref(),
      jobs,
      netron: { isThere: () => true, open: async (file) => void commands.push(`netron ${file}`) },
    }),
    ...fileHandlers({ document, ui, command }),
  };
  const start = { subject: { kind: "file", id: document.id, name: document.name }, section: "", edit: null } as const;
  const rig = await openRig(browser, { bundle, start, handlers: () => handlers, ...options });
  document.onDidChange((what) => {
    rig.peer.send("file/changed", {});
    if (what === "content") rig.peer.send("content/changed", {});
  });
  await rig.page.getByTestId("file-name").waitFor();
  return {
    rig,
    document,
    commands,
    copied,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await document.dispose();
    },
  };
}

/** Takes a picture; nothing may stick out sideways, and axe may find nothing. */
export async function inspectScreen({ page }: PageRig, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(overflow, 0, `${name} scrolls sideways`);
  await page.evaluate(axeSource);
  // Structure is the same in every theme; colours are not.
  const rules = name.startsWith("dark") ? {} : { runOnly: ["color-contrast"] };
  const violations = await page.evaluate(`(async () => {
    const { violations } = await axe.run(${JSON.stringify(rules)});
    return violations.map(({ id, nodes }) => id + ": " + nodes.map((n) => n.html + " " + n.failureSummary).join("; "));
  })()`);
  assert.deepEqual(violations, [], name);
}

/** Milliseconds that what was clicked may take to draw what follows. */
const DRAWN_MS = 2_000;

/**
 * The text as it is seen, which line breaks and hidden parts make different from `textContent`; of what is only being
 * drawn, once it is there.
 */
export async function textOf(locator: Locator): Promise<string> {
  await locator
    .filter({ hasText: /\S/ })
    .first()
    .waitFor({ timeout: DRAWN_MS })
    .catch(() => undefined);
  const [text = ""] = await locator.allInnerTexts();
  return text;
}

/** Waits until an expression is true in the page; Playwright's own way needs `eval`, which the policy forbids. */
export async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await page.evaluate(expression)) === true) return;
    await page.waitForTimeout(25);
  }
  assert.fail(`never true in the page: ${expression}`);
}

/** Waits until a text is seen that fits: what a page shows first may be what was there before. */
export async function untilText(locator: Locator, pattern: RegExp): Promise<void> {
  for (const deadline = Date.now() + DRAWN_MS; Date.now() < deadline && !pattern.test(await textOf(locator)); ) {
    await setTimeout(25);
  }
  assert.match(await textOf(locator), pattern);
}

/** Waits until what the host was told is this: a message reaches it some time after the click. */
export async function untilEqual<T>(told: () => T, expected: T): Promise<void> {
  for (let tries = 0; tries < 200 && !isDeepStrictEqual(told(), expected); tries++) await setTimeout(25);
  assert.deepEqual(told(), expected);
}

/** Presses Tab until a control has the focus. */
export async function tabTo(page: Page, testId: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    if ((await focusedTestId(page)) === testId) return;
  }
  assert.fail(`Tab never reached ${testId}`);
}

/** Waits until the control has the focus: it follows the drawing, a frame or a timer later. */
export function untilFocused(page: Page, testId: string): Promise<void> {
  return until(page, `document.activeElement?.dataset.testid === ${JSON.stringify(testId)}`);
}

/** Waits until what is under way has been drawn and whatever follows a drawing has run. */
export async function untilDrawn(page: Page): Promise<void> {
  const twice = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))";
  await page.evaluate(`new Promise((done) => ${twice})`);
}

/** The `data-testid` of what has the focus. */
function focusedTestId(page: Page): Promise<string | undefined> {
  return page.evaluate("document.activeElement?.dataset.testid");
}

/** The toolkit makes exactly one empty inline style, which the policy refuses. */
export function unexpected({ troubles }: PageRig): string[] {
  const styles = troubles.filter((line) => /inline style/i.test(line));
  const others = troubles.filter((line) => !styles.includes(line));
  return styles.length > 1 ? [...others, ...styles.slice(1)] : others;
}
