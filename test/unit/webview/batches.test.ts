import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { batchesOf, layOut, sizesOf, timeScale } from "../../../webview/ui/batches";
import { reply } from "./scriptedPage";

const error = { code: "run.failed", message: "no", remedy: null, path: null };

describe("the batches of replies", () => {
  test("are told apart by their number, with who rode in them; what failed or waits rode in none", () => {
    const whole = (batchId: number, batchSize: number, batchRequests: number) =>
      reply({ batchId, batchSize, batchRequests });
    const found = batchesOf([whole(4, 1, 1), null, whole(5, 6, 3), reply({ error }), whole(5, 6, 3)]);
    assert.deepEqual(found, [
      { id: 4, rows: 1, isExact: true, requests: 1, riders: [0] },
      { id: 5, rows: 6, isExact: true, requests: 3, riders: [2, 4] },
    ]);
  });

  test("a cut request rode in those before its last one, of which only the most rows are known", () => {
    const cut = reply({ batchId: 9, batches: 3, batchSize: 32, batchRequests: 2 });
    const last = reply({ batchId: 9, batchSize: 20, batchRequests: 2 });
    const expected = [
      [7, 32, false],
      [8, 32, false],
      [9, 20, true],
    ];
    for (const replies of [
      [cut, last],
      [last, cut],
    ]) {
      const found = batchesOf(replies);
      assert.deepEqual(
        found.map(({ id, rows, isExact }) => [id, rows, isExact]),
        expected,
      );
      assert.equal(found[2]?.riders.length, 2);
    }
  });

  test("lie side by side, as wide as they have rows, and fill the line", () => {
    const batches = batchesOf([
      reply({ batchId: 1, batchSize: 1 }),
      reply({ batchId: 2, batchSize: 3 }),
      reply({ batchId: 3, batchSize: 0, batchRequests: 4 }),
    ]);
    const [first, second, third] = layOut(batches, 206);
    assert.deepEqual(first, { x: 0, width: 25 });
    assert.deepEqual(second, { x: 28, width: 75 });
    assert.deepEqual(third, { x: 106, width: 100 });
    const many = layOut(batchesOf(Array.from({ length: 64 }, (_, i) => reply({ batchId: i + 1 }))), 200);
    assert.ok(many.every(({ width }) => width > 2));
    assert.ok(Math.abs((many.at(-1)?.x ?? 0) + (many.at(-1)?.width ?? 0) - 200) < 1e-9);
  });

  test("are counted by size in the order in which the sizes came", () => {
    const batches = batchesOf([1, 32, 32, 7].map((batchSize, i) => reply({ batchId: i + 1, batchSize })));
    assert.deepEqual(
      sizesOf(batches).map(({ batch, count }) => [batch.rows, count]),
      [
        [1, 1],
        [32, 2],
        [7, 1],
      ],
    );
  });
});

test("the scale of time is round, covers everything and has few steps", () => {
  assert.deepEqual(timeScale(5.9), [0, 2, 4, 6]);
  assert.deepEqual(timeScale(1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(timeScale(0.3), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(timeScale(0), [0, 1]);
  for (let most = 0.001; most < 1e6; most *= 1.7) {
    const scale = timeScale(most);
    assert.ok((scale.at(-1) ?? 0) >= most * (1 - 1e-9) && scale.length >= 3 && scale.length <= 6, `${most}: ${scale}`);
  }
});
