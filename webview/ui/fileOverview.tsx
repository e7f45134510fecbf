import type { VNode } from "preact";
import type { ContentView } from "../protocol/content";
import { usePage, useText } from "./context";
import { formatBytes, formatMoment } from "./format";
import { formatWords, pickleWords, sizeWords } from "./formatWords";
import { Button } from "./kit";
import { Block, Methods, Onnx } from "./overview";
import { Pairs } from "./pairs";

/** Formats that have a place for metadata. */
const WITH_METADATA = new Set(["onnx", "safetensors"]);

/** What the headers of a file say, on one page. */
export function FileOverview({ content }: { readonly content: ContentView }): VNode {
  const t = useText();
  const { files, metadata, methods, moreFiles, moreMetadata, onnx } = content;
  return (
    <div class="overview">
      <div class="overview-column">
        <Block title={t("overview.about")}>
          <About content={content} />
        </Block>
        {methods.length === 0 ? null : (
          <Block title={t("section.signatures")}>
            <Methods methods={methods} />
          </Block>
        )}
        {onnx ? (
          <Block title={t("overview.onnx")}>
            <Onnx onnx={onnx} />
          </Block>
        ) : null}
      </div>
      <div class="overview-column">
        {metadata.length === 0 && !WITH_METADATA.has(content.format) ? null : (
          <Block title={t("overview.metadata")}>
            <Pairs rows={metadata} empty={t("file.noMetadata")} testId="metadata" />
            {moreMetadata === 0 ? null : <p class="quiet">{t("file.moreMetadata", moreMetadata)}</p>}
            <EditMetadata content={content} />
          </Block>
        )}
        {files.length < 2 ? null : (
          <Block title={t("overview.files")}>
            <Pairs
              rows={files.map(({ path, bytes }) => ({ key: path, value: formatBytes(bytes) }))}
              empty=""
              testId="files"
            />
            {moreFiles === 0 ? null : <p class="quiet">{t("overview.moreFiles", moreFiles)}</p>}
          </Block>
        )}
      </div>
    </div>
  );
}

/** Only a safetensors file has metadata that can be replaced without its tensors; shards have theirs each. */
function EditMetadata({ content }: { readonly content: ContentView }): VNode | null {
  const { file, peer } = usePage();
  const t = useText();
  const info = file.file.value.state === "ready" ? file.file.value.value : undefined;
  if (content.format !== "safetensors" || content.files.length > 1 || !info || info.isCopy || info.isGone) return null;
  const edit = (): void => {
    // What it asks and how it fails meets the user outside the page.
    peer.request("file/command", { command: "editFileMetadata" }).catch(() => undefined);
  };
  return (
    <div class="actions">
      <Button testId="file-edit-metadata" onClick={edit}>
        {t("file.editMetadata")}
      </Button>
    </div>
  );
}

function About({ content }: { readonly content: ContentView }): VNode {
  const { file, locale } = usePage();
  const t = useText();
  const info = file.file.value.state === "ready" ? file.file.value.value : undefined;
  const number = (value: number): string => value.toLocaleString(locale.value);
  const { bytes, format, parameters, pickle, tensorBytes, tensorCount } = content;
  const tensors =
    tensorCount === 0
      ? []
      : [
          { key: t("file.tensors"), value: number(tensorCount) },
          { key: t("file.parameters"), value: number(parameters) },
          { key: t("file.tensorBytes"), value: formatBytes(tensorBytes) },
        ];
  const rows = [
    { key: t("file.format"), value: formatWords(t, format) },
    { key: t("overview.size"), value: sizeWords(t, locale.value, info?.bytes ?? bytes) },
    ...tensors,
    ...(pickle ? [{ key: t("section.pickle"), value: pickleWords(t, pickle) }] : []),
    ...(info?.modifiedMs == null
      ? []
      : [
          {
            key: t("file.modified"),
            value: formatMoment(locale.value, info.modifiedMs),
            title: new Date(info.modifiedMs).toISOString(),
          },
        ]),
    ...(info ? [{ key: t("overview.folder"), value: info.folder }] : []),
  ];
  return <Pairs rows={rows} empty="" testId="about" />;
}
