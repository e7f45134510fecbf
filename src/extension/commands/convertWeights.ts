import { basename, dirname, extname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import type { ContentRef } from "../../frameworks/contentJobs";
import { convertFileJob, previewConversionJob } from "../../frameworks/convert/convertJobs";
import type { ConversionPlan, ConvertibleFormat } from "../../frameworks/convert/plan";
import { FILE_EDITORS, type FileArgument, type Target } from "../ids";
import type { Review, ReviewItem, Services } from "../services";
import { oneModel } from "../targets";

/** What the user may tick before anything is written. */
type Choice = { readonly kind: "leaves" } | { readonly kind: "line"; readonly line: number };

/** Converts weights to safetensors: a list of what cannot be kept, a place, and the verified result is opened. */
export function convertToSafetensors(services: Services, from?: Target | FileArgument): Promise<void> {
  return convert(services, "safetensors", from);
}

/** Converts weights to flax MessagePack, likewise. */
export function convertToMessagePack(services: Services, from?: Target | FileArgument): Promise<void> {
  return convert(services, "flax-msgpack", from);
}

async function convert(services: Services, to: ConvertibleFormat, from?: Target | FileArgument): Promise<void> {
  const { jobs, t, ui } = services;
  const ref = await sourceOf(services, to, from);
  if (!ref) return;
  const name = ref.kind === "file" ? basename(ref.path) : ref.tag;
  const all = await jobs.run(previewConversionJob, { ref, to, options: {} });
  const kept =
    to === "safetensors" ? await jobs.run(previewConversionJob, { ref, to, options: { leaves: true } }) : all;
  const chosen = await ui.review(reviewOf(services, name, all, kept));
  if (!chosen) return;
  const leaves = chosen.some(({ kind }) => kind === "leaves");
  const extension = to === "safetensors" ? "safetensors" : "msgpack";
  const destination = await ui.pickTarget({
    title: t("Convert {0}", name),
    action: t("Convert"),
    ...suggestedTarget(ref, all.source, extension),
    filters: { [to === "safetensors" ? "safetensors" : "MessagePack"]: [extension] },
  });
  if (destination === undefined) return;
  // What is left out was on the list, unless the source was written to while the list or the dialog was open.
  const now = await jobs.run(previewConversionJob, { ref, to, options: { leaves } });
  if (!isDeepStrictEqual(now, leaves ? kept : all)) {
    const remedy = t("Convert it again, and look at the new list.");
    throw new ModelbenchError("file.access", t("{0} was written to since it was looked at.", name), { remedy });
  }
  const input = { ref, to, options: { drop: true, leaves }, destination };
  const { path, tensors, bytes } = await ui.progress(t("Converting {0}", name), (signal, report) =>
    jobs.run(convertFileJob, input, { signal, onProgress: report }),
  );
  const [file, count, size] = [basename(path), tensorCount(services, tensors), humanSize(bytes)];
  const said = t("{0} written: {1}, {2}, verified equal to the source.", file, count, size);
  if (!(await ui.inform(said, t("Open")))) return;
  await ui.openWith(path, to === "safetensors" ? FILE_EDITORS.safetensors : FILE_EDITORS.file);
}

/** A file of the Explorer or an editor, a version of the tree, or the file that is chosen. */
async function sourceOf(
  services: Services,
  to: ConvertibleFormat,
  from: Target | FileArgument,
): Promise<ContentRef | undefined> {
  const { stores, t, ui } = services;
  if (typeof from === "object" && "fsPath" in from) return { kind: "file", path: from.fsPath };
  if (from !== undefined) {
    const model = await oneModel(services, from, "");
    return model && { kind: "model", home: stores.of(model).home, tag: model.tag };
  }
  const filters = to === "safetensors" ? { MessagePack: ["msgpack"] } : { safetensors: ["safetensors", "json"] };
  const [path] =
    (await ui.pickFiles({ title: t("Convert which file?"), action: t("Convert"), many: false, filters })) ?? [];
  return path === undefined ? undefined : { kind: "file", path };
}

/** Beside the source; of a version by its tag, in the user's own place. */
function suggestedTarget(
  ref: ContentRef,
  source: string,
  extension: string,
): { readonly folder?: string; readonly fileName: string } {
  if (ref.kind === "model") return { fileName: `${ref.tag.replace(":", "-")}.${extension}` };
  const stem = basename(source).replace(/\.safetensors\.index\.json$/i, "");
  return { folder: dirname(source), fileName: `${basename(stem, extname(stem))}.${extension}` };
}

function tensorCount({ t }: Services, count: number): string {
  return count === 1 ? t("1 tensor") : t("{0} tensors", count);
}

/** Everything that will not be the same afterwards, before anything is written. */
function reviewOf(services: Services, name: string, all: ConversionPlan, kept: ConversionPlan): Review<Choice> {
  const { t } = services;
  const keepable = all.dropped.length - kept.dropped.length;
  const line = (index: number, item: Omit<ReviewItem<Choice>, "value">): ReviewItem<Choice> => ({
    ...item,
    disabled: true,
    value: { kind: "line", line: index },
  });
  const leaves: ReviewItem<Choice> = {
    label: keepable === 1 ? t("Keep 1 leaf that is no tensor") : t("Keep {0} leaves that are no tensors", keepable),
    description: t("as JSON in the file's metadata"),
    picked: true,
    value: { kind: "leaves" },
  };
  const items = [
    ...(keepable > 0 ? [leaves] : []),
    ...all.dropped.map((item, i) =>
      line(i, { label: item.name, description: item.kind, detail: item.reason, icon: "warning" }),
    ),
    ...all.changed.map(({ change, count, names }, i) =>
      line(all.dropped.length + i, {
        label: change,
        description: String(count),
        detail: names.join(", "),
        icon: "info",
      }),
    ),
  ];
  return {
    title: (chosen) => {
      const left = chosen.some(({ kind }) => kind === "leaves") ? kept.dropped.length : all.dropped.length;
      const size = humanSize(all.tensorBytes);
      const count = tensorCount(services, all.tensors);
      if (left === 0) return t("Convert {0}: {1}, {2}, nothing left out", name, count, size);
      return t("Convert {0}: {1}, {2}, {3} left out", name, count, size, left);
    },
    hint: t("Enter goes on and asks where to; nothing is written yet"),
    unavailable: t("Not the same afterwards"),
    items: () => items,
  };
}
