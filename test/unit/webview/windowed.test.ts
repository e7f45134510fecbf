import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Axis,
  bodyPixels,
  drawnItems,
  MAX_PIXELS,
  pixelsOf,
  placeOf,
  revealed,
  type Scrolled,
  scrolledTo,
} from "../../../webview/ui/windowed";
import { fc } from "../../fixtures/fastCheck";

const START: Scrolled = { pixels: 0, item: 0 };
const short: Axis = { count: 1_000_000, size: 22, extent: 330 };
const long: Axis = { count: 100_000_000, size: 22, extent: 330 };

describe("a body that browsers bear", () => {
  test("is as long as its rows, and a scroll position is a row", () => {
    assert.equal(bodyPixels(short), 22_000_000);
    assert.deepEqual(scrolledTo(short, START, 2_200), { pixels: 2_200, item: 100 });
    assert.equal(placeOf(short, START, 999_999), 999_999 * 22);
  });
});

describe("a body longer than that", () => {
  test("is cut, and its thumb reaches the first and the last row", () => {
    assert.equal(bodyPixels(long), MAX_PIXELS);
    const end = scrolledTo(long, START, MAX_PIXELS - long.extent);
    assert.equal(end.item, long.count - long.extent / long.size);
    assert.equal(placeOf(long, end, long.count - 1) + long.size, MAX_PIXELS);
    assert.equal(scrolledTo(long, end, 0).item, 0);
  });

  test("moves row by row under a wheel, wherever it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 99_000_000 }), fc.integer({ min: -300, max: 300 }), (row, wheel) => {
        const at = { item: row, pixels: pixelsOf(long, row) };
        const next = scrolledTo(long, at, at.pixels + wheel);
        assert.ok(Math.abs(next.item - (row + wheel / 22)) < 1e-6);
      }),
    );
  });

  test("can be wheeled to its first row from any other, also when the bar is at its end before", () => {
    let at: Scrolled = { item: 500, pixels: pixelsOf(long, 500) };
    for (let turns = 0; turns < 200 && at.item > 0; turns++) at = scrolledTo(long, at, Math.max(0, at.pixels - 100));
    assert.equal(at.item, 0);
  });

  test("draws what is seen where it is seen", () => {
    const at = { item: 70_000_000.5, pixels: pixelsOf(long, 70_000_000.5) };
    assert.equal(placeOf(long, at, 70_000_001), at.pixels + 11);
    assert.ok(placeOf(long, at, 0) >= 0 && placeOf(long, at, 99_999_999) <= MAX_PIXELS - 22);
  });
});

test("a revealed item is seen whole, by the shortest way", () => {
  for (const axis of [short, long]) {
    assert.equal(revealed(axis, START, 5), 0);
    assert.equal(revealed(axis, START, 20), 6);
    assert.equal(revealed(axis, { item: 50, pixels: 0 }, 7), 7);
  }
});

test("an item out of sight that has to stay is drawn once", () => {
  assert.deepEqual(drawnItems(2, 4), [2, 3]);
  assert.deepEqual(drawnItems(2, 4, 3), [2, 3]);
  assert.deepEqual(drawnItems(2, 4, 9), [2, 3, 9]);
});
