import { render } from "preact";
import { App } from "./app";
import { PageContext } from "./context";
import { registerKit } from "./kit";
import { PageState } from "./pageState";
import "./page.css";
import "./tabs.css";
import "./notices.css";
import "./test.css";
import "./result.css";
import "./forms.css";
import "./edit.css";
import "./file.css";
import "./graph.css";
import "./compare.css";
import "./pickle.css";
import "./python.css";
import "./batches.css";
import "./tensors/tensors.css";
import "./vscodeApi";

const root = document.getElementById("root");
if (root) {
  registerKit();
  const page = new PageState(acquireVsCodeApi());
  render(
    <PageContext.Provider value={page}>
      <App />
    </PageContext.Provider>,
    root,
  );
  page.start();
}
