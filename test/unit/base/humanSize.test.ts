import assert from "node:assert/strict";
import { test } from "node:test";
import { bentoSize, humanSize } from "../../../src/base/humanSize";

test("sizes have two decimals and the unit that keeps them below 1024, bytes none", () => {
  const sizes = [0, 1, 1023, 1024, 5949, 1024 ** 2, 1.5 * 1024 ** 3, 1024 ** 5, 4096 * 1024 ** 5];
  assert.deepEqual(sizes.map(humanSize), [
    "0 B",
    "1 B",
    "1023 B",
    "1.00 KiB",
    "5.81 KiB",
    "1.00 MiB",
    "1.50 GiB",
    "1.00 PiB",
    "4096.00 PiB",
  ]);
});

test("BentoML's sizes have two decimals always", () => {
  assert.deepEqual([0, 1023, 5949].map(bentoSize), ["0.00 B", "1023.00 B", "5.81 KiB"]);
});
