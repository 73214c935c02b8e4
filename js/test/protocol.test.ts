import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { dequantize, readBlocks } from "../src/core/wire";
import type { Answer, Ask } from "../src/protocol";
import { toBed, toCsv } from "../src/state/export";
import { makeRow } from "../src/state/rows";
import type { Example, State } from "../src/state/store";
import { spansOf } from "./spans";
import { act, applyChanges, type Change, NOTHING, redo, shuffled, spell, undo } from "../src/state/edits";

interface Fixtures {
  edits: { sequence: string; changes: Change[]; edited: string; origin: number[] }[];
  asks: Ask[];
  answer: { values: number[][]; words: Answer; hex: string };
}
const fixtures = JSON.parse(readFileSync("../tests/fixtures/protocol/edits.json", "utf8")) as Fixtures;

test("edits are those of the Python half", () => {
  for (const one of fixtures.edits) {
    const codes = Uint8Array.from([...one.sequence].map((c) => "ACGTN".indexOf(c)));
    const { codes: edited, origin } = applyChanges(codes, one.changes);
    assert.equal(spell(edited), one.edited);
    assert.deepEqual([...origin], one.origin);
  }
});

test("answers are read as they were written", async () => {
  const { words, hex, values } = fixtures.answer;
  const data = new Uint8Array(Buffer.from(hex, "hex"));
  const blocks = await readBlocks(data, words.blocks);
  const [, rows, length] = words.blocks[0].shape;
  assert.deepEqual([rows, length], [4, 3]);
  const scores = dequantize(blocks.get("scores") as Int16Array, 0, 12, (blocks.get("scores_scale") as Float32Array)[0]);
  values.flat().forEach((v, i) => assert.ok(Math.abs(v - scores[i]) < 1e-4));
  assert.equal(words.stage, "scores");
});

test("histories undo and redo", () => {
  const a: Change = [0, 1, "A"], b: Change = [2, 2, "TT"];
  const two = act(act(NOTHING, a), b);
  assert.deepEqual(undo(two), { done: [a], undone: [b] });
  assert.deepEqual(redo(undo(two)), two);
  assert.deepEqual(undo(NOTHING), NOTHING);
  assert.deepEqual(act(undo(two), a), { done: [a, a], undone: [] });
});

test("a shuffle keeps the letters, and is the same each time", () => {
  const text = "AACCCGGGGTTTTTACGTACGT";
  assert.equal(shuffled(text), shuffled(text));
  assert.notEqual(shuffled(text), text);
  assert.equal([...shuffled(text)].sort().join(""), [...text].sort().join(""));
});

test("what is in view is written for other programs", () => {
  const codes = Uint8Array.from([0, 1, 2, 3, 4]), observed = Float32Array.from([1, 2, 3, 4, 5]);
  const row = makeRow('a "b"', observed, 1, codes);
  const example: Example = { codes, rows: [row], offset: 100, name: "peak", chrom: "chr2", edited: null };
  assert.equal(toCsv(example, { view: { start: 1, end: 3 } }), 'position,base,"a ""b"""\n101,C,2\n102,G,3\n');
  const spans = spansOf([[0, 1, 3, "my ETS", "+", 2.5], [0, 4, 5]]), state = { example: 0, view: { start: 0, end: 3.5 }, selection: [2, 4] } as State;
  assert.equal(toBed({ current: example, state, spans }), "chr2\t102\t104\tselection\t0\t.\nchr2\t101\t103\tmy_ETS\t2.5\t+\n");
});
