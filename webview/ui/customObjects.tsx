import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { LoadedObjectsView } from "../protocol/madeViews";
import type { ModelView } from "../protocol/views";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { Button } from "./kit";
import { useNextFocus } from "./nextFocus";

/** The key under which a framework of BentoML keeps its own module among the custom objects. */
const MODULE_KEY = "_module";
/** What takes the focus in each state. */
const FOCUSED = {
  told: ["load-objects"],
  loading: ["stop-objects"],
  ready: ["objects-loaded"],
  failed: ["load-objects"],
} as const;

/** What was saved with a model beside its weights: told without loading it, and by itself when the user loads it. */
export function CustomObjects({ model }: { readonly model: ModelView }): VNode | null {
  const { objects } = usePage();
  const t = useText();
  const { customObjects } = model;
  const loaded = objects.loaded.value;
  const box = useRef<HTMLElement>(null);
  useNextFocus(box, loaded?.state ?? "told", FOCUSED);
  if (customObjects?.length === 0) return null;
  return (
    <section class="block" ref={box} data-testid="custom-objects">
      <h2>{t("objects.title")}</h2>
      {loaded?.state === "ready" ? <Loaded objects={loaded.value} /> : <Told objects={customObjects} />}
      {loaded?.state === "failed" ? <ErrorBox error={loaded.error} testId="objects-error" /> : null}
      <Load tag={model.tag} />
    </section>
  );
}

function Told({ objects }: { readonly objects: ModelView["customObjects"] }): VNode {
  const t = useText();
  if (objects === null) return <p class="quiet">{t("objects.unknown")}</p>;
  return (
    <>
      <p class="quiet">{t("objects.hint")}</p>
      <table class="table">
        <Head />
        <tbody>
          {objects.map(({ name, type }) => (
            <tr key={name}>
              <td class="code">
                <Name name={name} />
              </td>
              <td class="code">{type === "" ? t("objects.unclear") : type}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Loaded({ objects }: { readonly objects: LoadedObjectsView }): VNode {
  const t = useText();
  return (
    <>
      <p class="quiet" role="status" tabIndex={-1} data-testid="objects-loaded">
        {t("objects.loaded")}
      </p>
      <table class="table objects">
        <Head />
        {objects.map(({ name, repr, type }) => (
          <tbody key={name} data-testid={`object-${name}`}>
            <tr>
              <th scope="row" class="code">
                <Name name={name} />
              </th>
              <td class="code">{type}</td>
            </tr>
            <tr>
              <td colSpan={2}>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
                <pre class="raw" tabIndex={0}>
                  {repr}
                </pre>
              </td>
            </tr>
          </tbody>
        ))}
      </table>
    </>
  );
}

function Head(): VNode {
  const t = useText();
  return (
    <thead>
      <tr>
        <th scope="col">{t("objects.name")}</th>
        <th scope="col">{t("objects.type")}</th>
      </tr>
    </thead>
  );
}

function Name({ name }: { readonly name: string }): VNode {
  const t = useText();
  return (
    <>
      {name}
      {name === MODULE_KEY ? <span class="quiet"> ({t("objects.module")})</span> : null}
    </>
  );
}

/** Only what runs in Python can load them; until that is known, and in Restricted Mode, nothing is offered. */
function Load({ tag }: { readonly tag: string }): VNode | null {
  const { objects, test } = usePage();
  const t = useText();
  const loaded = objects.loaded.value;
  if (!test.view.value?.consent || loaded?.state === "ready") return null;
  if (loaded?.state === "loading") {
    return (
      <div class="actions">
        <span class="quiet" role="status">
          {t("objects.loading")}
        </span>
        <Button testId="stop-objects" onClick={() => objects.reset()}>
          {t("objects.stop")}
        </Button>
      </div>
    );
  }
  return (
    <div class="actions">
      <Button testId="load-objects" onClick={() => void objects.load(tag)}>
        {t("objects.load")}
      </Button>
    </div>
  );
}
