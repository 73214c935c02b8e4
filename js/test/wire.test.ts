import assert from "node:assert/strict";
import test from "node:test";
import fixture from "../../tests/fixtures/protocol/blocks.json";
import { bytesOf, dequantize, readBlocks, unpack } from "../src/core/wire";
import type { Block } from "../src/protocol";

const data = bytesOf(Uint8Array.from(atob(fixture.data), (c) => c.charCodeAt(0)));

test("blocks written by Python are read", async () => {
  const blocks = await readBlocks(data, fixture.blocks as Block[]);
  for (const row of [0, 1])
    assert.deepEqual([...unpack(blocks.get("sequence") as Uint8Array, blocks.get("unknown") as Int32Array, row, 11)], fixture.codes[row]);
  const scores = dequantize(blocks.get("scores") as Int16Array, 0, 3, (blocks.get("scale") as Float32Array)[0]);
  assert.ok(Math.abs(scores[0] - 0.5) < 2e-5 && Math.abs(scores[1] + 1) < 2e-5 && Number.isNaN(scores[2]));
  assert.equal((blocks.get("large") as Int16Array).length, 40000);
});

test("a view into a larger buffer is copied", () => {
  const whole = new Uint8Array([9, 1, 2, 3]);
  assert.deepEqual([...bytesOf(new DataView(whole.buffer, 1, 2))], [1, 2]);
});
