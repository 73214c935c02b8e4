import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
// @ts-expect-error: a list of the build, which has no types
import { OURS } from "../ours.mjs";

const code = (path: string): string => readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

test("what the build shortens is no word in quotes, and no part of what Python sends", () => {
  const all = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).map((name) => code(`src/${name}`)).join("\n");
  for (const name of OURS as string[]) {
    assert.doesNotMatch(all, new RegExp(`["'\`]${name}["'\`]`), name);
    assert.doesNotMatch(code("src/protocol.ts"), new RegExp(`\\b${name}\\b`), name);
    assert.match(all, new RegExp(`\\b${name}\\b`), `${name} is gone`);
    for (const line of all.split("\n").filter((one) => one.includes("dataset"))) // an attribute of the DOM by another name
      assert.doesNotMatch(line, new RegExp(`\\b${name}:|dataset\\.${name}\\b`), line);
  }
});
