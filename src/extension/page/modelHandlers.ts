import type { Handlers } from "../../../webview/protocol/hostPeer";
import type { PageCommand } from "../../../webview/protocol/pageCommand";
import { ModelbenchError } from "../../base/errors";
import type { Localize, ModelRef, Ui } from "../services";
import { editIssues } from "./modelEdit";
import type { PageModels } from "./models";
import type { ModelTest } from "./modelTest";

/** The requests of a page that shows a model, but those about what its files hold. */
export type ModelHandlers = Pick<Handlers, Extract<keyof Handlers, `${"model" | "test" | "text"}/${string}`>>;

/** What the answers are made from. */
export interface ModelHandlersPort {
  /** The model this page was opened for; the page cannot ask about another one. */
  ref(): ModelRef | undefined;
  readonly models: PageModels;
  readonly ui: Pick<Ui, "copy" | "openText" | "pickFiles">;
  readonly t: Localize;
  /** Runs a command of the extension; its failures meet the user outside the page. */
  command(command: PageCommand, model: ModelRef): Promise<void>;
  /** Stands for the page, so that it does not hear of its own edits. */
  by(): unknown;
  /** The page shows the test from now on: it is told of every change. */
  follow(test: ModelTest): void;
}

/** Answers of a details editor or of the test view. */
export function modelHandlers({ ref, models, ui, t, command, by, follow }: ModelHandlersPort): ModelHandlers {
  const own = (tag: string): ModelRef => {
    const bound = ref();
    if (bound?.tag === tag) return bound;
    throw new ModelbenchError("protocol.invalid", "This page was opened for another model.");
  };
  const test = (tag: string): Promise<ModelTest> => models.test(own(tag));
  /** The model whose drafts the page has: what was typed last comes when it is about another one already. */
  let drafted: ModelRef | undefined;
  return {
    "model/inspect": async ({ tag }, signal) => models.inspect(own(tag), signal),
    "model/openYaml": async ({ tag, at }) =>
      done(ui.openText(`${models.folder(own(tag))}/model.yaml`, at ?? undefined)),
    "model/edit": async ({ tag, input }) => {
      const model = own(tag);
      const issues = editIssues(t, input);
      if (issues.length === 0) await models.edit(model, input);
      return { issues };
    },
    "model/verify": async ({ tag }, signal) => models.verify(own(tag), signal),
    "model/objects": async ({ tag }, signal) => {
      const objects = await (await test(tag)).customObjects(signal);
      return objects?.map(({ name, type, repr }) => ({ name, type, repr })) ?? null;
    },
    "model/command": async ({ tag, command: name }) => done(command(name, own(tag))),
    "text/copy": ({ text }) => done(ui.copy(text)),
    "test/snapshot": async ({ tag }) => {
      const model = own(tag);
      drafted = model;
      const opened = await models.test(model);
      // Opening may take long, and the page may be about another model by now.
      if (ref() === model) follow(opened);
      void opened.warm().catch(() => undefined);
      return { test: opened.view(), drafts: opened.draftState() };
    },
    "test/draft": async (state) => {
      const model = drafted?.tag === state.tag ? drafted : own(state.tag);
      return done((await models.test(model)).setDrafts(state, by()));
    },
    "test/method": async ({ tag, method }) => (await test(tag)).choose(method, by()),
    "test/example": async ({ tag, method }) => (await test(tag)).useExample(method, by()),
    "test/validate": async (state) => ({ issues: await (await test(state.tag)).validate(state) }),
    "test/pickFile": async ({ tag, input }) => {
      const opened = await test(tag);
      const files = await ui.pickFiles({
        title: `${t("Choose a File for the Input")} ${input}`,
        action: t("Use File"),
        many: false,
        filters: { [t("Tensors")]: ["json", "npy"] },
      });
      const [path] = files ?? [];
      return path === undefined ? null : opened.addFile(path);
    },
    "test/run": async ({ state, copies }) => {
      const opened = await test(state.tag);
      // Whoever types and runs at once has said nothing of the typing yet.
      opened.setDrafts(state, by());
      return { issues: await opened.start(state, copies) };
    },
    "test/stop": async ({ tag }) => done((await test(tag)).stop()),
    "test/restart": async ({ tag }) => done((await test(tag)).restart()),
    "test/allow": async ({ tag }) => done((await test(tag)).askToAllow()),
    "test/revoke": async ({ tag }) => done((await test(tag)).revoke()),
    "test/interpreter": async ({ tag }) => done((await test(tag)).chooseInterpreter()),
    "test/engine": async ({ tag, device, settings }) => done((await test(tag)).chooseEngine({ device, settings })),
    "test/reuse": async ({ tag, id }) => (await test(tag)).reuse(id, by()),
    "test/clearHistory": async ({ tag }) => done((await test(tag)).clearHistory()),
    "test/rows": async ({ tag, reply, output, start, count }) => (await test(tag)).rows(reply, output, start, count),
  };
}

async function done(work: unknown): Promise<null> {
  await work;
  return null;
}
