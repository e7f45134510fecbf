import type { EngineView } from "../../../webview/protocol/views";
import type { OnnxSettings } from "../../frameworks/onnx/sessionOptions";
import type { Localize } from "../services";

/** One load setting as a page shows it. */
export type SettingView = EngineView["settings"][number];

/**
 * The settings of a session of ONNX Runtime, by the words that `onnxSettings` takes.
 * @param own what holds where nothing is chosen: the model's own, else the defaults
 */
export function onnxFields(own: OnnxSettings, t: Localize): Omit<SettingView, "value">[] {
  const levels = { disabled: t("Off"), basic: t("Basic"), extended: t("Extended"), all: t("All") };
  const modes = { sequential: t("One after the other"), parallel: t("At the same time") };
  const choicesOf = (texts: Record<string, string>) => Object.entries(texts).map(([value, text]) => ({ value, text }));
  const count = (threads: number | undefined): string =>
    threads === undefined ? t("by the processors") : `${threads}`;
  return [
    {
      word: "graph-optimization",
      text: t("Graph optimization"),
      placeholder: levels[own.graphOptimization],
      choices: choicesOf(levels),
    },
    {
      word: "execution-mode",
      text: t("Independent parts of the graph"),
      placeholder: modes[own.executionMode],
      choices: choicesOf(modes),
    },
    {
      word: "intra-op-threads",
      text: t("Threads inside an operator"),
      placeholder: count(own.intraOpThreads),
      choices: null,
    },
    {
      word: "inter-op-threads",
      text: t("Threads across operators"),
      placeholder: count(own.interOpThreads),
      choices: null,
    },
    { word: "concurrency", text: t("Runs at once"), placeholder: `${own.concurrency}`, choices: null },
  ];
}
