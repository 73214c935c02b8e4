import assert from "node:assert/strict";
import test from "node:test";
import { arrange, moved, PLAIN, toggled } from "../src/state/arrange";
import { makeRow } from "../src/state/rows";

const codes = Uint8Array.from([0, 1, 2]);
const rows = ["a", "b", "c"].map((label, k) => makeRow(label, Float32Array.from([1 + k, 2 + k, 4 * k]), 1, codes));
const labels = (layout: Partial<typeof PLAIN>): string[] => arrange(rows, codes, { ...PLAIN, ...layout }).map((r) => r.label);

test("rows are ordered, hidden, laid over and subtracted by label", () => {
  assert.deepEqual(labels({}), ["a", "b", "c"]);
  assert.deepEqual(labels({ order: ["c"] }), ["c", "a", "b"]);
  assert.deepEqual(labels({ hidden: ["b"] }), ["a", "c"]);
  assert.deepEqual(labels({ hidden: ["a", "b", "c"] }), ["a"]); // never nothing
  const [under] = arrange(rows, codes, { ...PLAIN, over: ["b", "a"] });
  assert.equal(under.over?.label, "b");
  assert.deepEqual(labels({ over: ["b", "a"] }), ["a", "c"]);
  const all = arrange(rows, codes, { ...PLAIN, minus: ["c", "a"] });
  assert.equal(all[3].label, "c \u2212 a");
  assert.deepEqual([...all[3].observed!], [2, 2, 8]);
  assert.deepEqual(labels({ over: ["b", "gone"], minus: ["gone", "a"] }), ["a", "b", "c"]);
});

test("a row moves among those shown", () => {
  assert.deepEqual(moved(PLAIN, ["a", "b", "c"], "c", -1).order, ["a", "c", "b"]);
  assert.equal(moved(PLAIN, ["a", "b"], "a", -1), PLAIN);
  assert.deepEqual(toggled(toggled(PLAIN, "a"), "a"), PLAIN);
});
