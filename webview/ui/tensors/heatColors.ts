import type { HeatMapView } from "../../protocol/content";

/** A color as red, green and blue of 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colors of a map: below zero, zero or nothing, above zero, and what marks a cell without a value. */
export interface HeatColors {
  readonly below: Rgb;
  readonly middle: Rgb;
  readonly above: Rgb;
  readonly mark: Rgb;
}

/** What the ends of the scale stand for; where values lie on both sides of zero, zero is in its middle. Below zero the color is another. */
export interface HeatRange {
  readonly low: number;
  readonly high: number;
  readonly isTwoSided: boolean;
}

/** Pixels from one stripe of a cell without a value to the next. */
const STRIPE = 4;

/** The range of a map's means. */
export function heatRange(means: HeatMapView["means"]): HeatRange {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const mean of means) {
    if (mean === null) continue;
    low = Math.min(low, mean);
    high = Math.max(high, mean);
  }
  if (low > high) return { low: 0, high: 0, isTwoSided: false };
  if (low >= 0 || high <= 0) return { low, high, isTwoSided: false };
  const most = Math.max(-low, high);
  return { low: -most, high: most, isTwoSided: true };
}

/** The color of a mean. */
export function heatColor(mean: number, { low, high, isTwoSided }: HeatRange, colors: HeatColors): Rgb {
  // Halves, because the distance from end to end may be beyond the range of numbers.
  const share = high > low ? (mean / 2 - low / 2) / (high / 2 - low / 2) : 0;
  if (!isTwoSided && high <= 0 && low < 0) return mixed(colors.middle, colors.below, 1 - share);
  if (!isTwoSided) return mixed(colors.middle, colors.above, share);
  return share < 0.5
    ? mixed(colors.middle, colors.below, 1 - 2 * share)
    : mixed(colors.middle, colors.above, 2 * share - 1);
}

function mixed(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (a: number, b: number): number => Math.round(a + (b - a) * share);
  return [part(from[0], to[0]), part(from[1], to[1]), part(from[2], to[2])];
}

/** The theme's colors; those of high contrast differ from the background as much as the theme's text does. */
export function colorsOf(canvas: HTMLCanvasElement): HeatColors | undefined {
  const style = getComputedStyle(canvas);
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!pen) return undefined;
  const rgb = (...names: readonly string[]): Rgb => {
    for (const name of names) {
      const text = style.getPropertyValue(`--vscode-${name}`).trim();
      if (text === "") continue;
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = text;
      pen.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0] = pen.getImageData(0, 0, 1, 1).data;
      return [red, green, blue];
    }
    return [128, 128, 128];
  };
  const isContrast = document.body.className.includes("high-contrast");
  return {
    below: rgb("charts-blue", "textLink-foreground"),
    middle: rgb("editor-background"),
    above: isContrast ? rgb("foreground") : rgb("charts-orange", "charts-red", "foreground"),
    mark: rgb("descriptionForeground", "foreground"),
  };
}

/** Draws a square of `side` pixels a cell; one without a value is striped, so that it is told apart without color. */
export function paintHeat(
  canvas: HTMLCanvasElement,
  map: HeatMapView,
  side: number,
  range: HeatRange,
  colors: HeatColors,
): void {
  const pen = canvas.getContext("2d");
  const width = map.columns * side;
  if (!pen || width * map.rows === 0) return;
  const image = pen.createImageData(width, map.rows * side);
  const cells = map.means.map((mean) => (mean === null ? undefined : heatColor(mean, range, colors)));
  for (let y = 0, index = 0; y < image.height; y++) {
    const row = Math.floor(y / side) * map.columns;
    for (let x = 0; x < width; x++, index += 4) {
      const stripe = (x + y) % STRIPE < STRIPE / 2 ? colors.mark : colors.middle;
      image.data.set(cells[row + Math.floor(x / side)] ?? stripe, index);
      image.data[index + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
}

/** Draws the scale of the legend from left to right. */
export function paintScale(canvas: HTMLCanvasElement, range: HeatRange, colors: HeatColors): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { width, height } = canvas;
  const image = pen.createImageData(width, height);
  for (let index = 0; index < width * height; index++) {
    const share = (index % width) / (width - 1);
    const mean = range.low * (1 - share) + range.high * share;
    image.data.set([...heatColor(mean, range, colors), 255], index * 4);
  }
  pen.putImageData(image, 0, 0);
}
