// One self-contained module a widget: src/widget/NAME.ts -> ../nbinterp/widget/static/NAME.js, and NAME.css beside it.
// `--tests` bundles test/*.test.ts for node's own runner instead.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { OURS } from "./ours.mjs";

const common = { bundle: true, format: "esm", target: "es2022", legalComments: "none", logLevel: "warning" };
if (process.argv.includes("--tests")) {
  const tests = readdirSync("test").filter((f) => f.endsWith(".test.ts")).map((f) => `test/${f}`);
  await build({ ...common, entryPoints: tests, outdir: "build/tests", platform: "node", outExtension: { ".js": ".mjs" } });
} else {
  const out = "../nbinterp/widget/static";
  mkdirSync(out, { recursive: true });
  const files = readdirSync("src/widget");
  await build({
    ...common,
    minify: true,
    charset: "utf8",
    mangleProps: new RegExp(`^(${OURS.join("|")})$`),
    entryPoints: files.filter((f) => f.endsWith(".ts")).map((f) => `src/widget/${f}`),
    outdir: out,
  });
  for (const css of files.filter((f) => f.endsWith(".css"))) copyFileSync(`src/widget/${css}`, `${out}/${css}`);
}
