import assert from "node:assert/strict";
import test from "node:test";
import { parts } from "../src/view/target";

test("labels of targets are read as they are written", () => {
  assert.deepEqual(parts("enhancer"), { of: "enhancer", less: "", at: "", both: false });
  assert.deepEqual(parts("enhancer - cooperative, both strands"), { of: "enhancer", less: "cooperative", at: "", both: true });
  assert.deepEqual(parts("profile, profile at 120-160"), { of: "profile, profile", less: "", at: " at 120-160", both: false });
});
