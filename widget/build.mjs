// Builds the widget: `node widget/build.mjs [FOLDER]`, by default into static/widget/. A test rebuilds and compares.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, "client");
const into = process.argv[2] ?? join(here, "..", "static", "widget");
const minifiedCss = {
  name: "minified css",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};
const COMMON = { plugins: [minifiedCss], bundle: true, minify: true, target: "es2022", legalComments: "none", write: false, logLevel: "warning" };
// What the core says before it has fetched anything.
const CORE_TEXTS = ["hello", "chat", "close", "back", "failed", "direct", "retry"];
const BANNER = "/* Switchyard widget. Apache-2.0. */";

const files = {};
const launcher = {};
const coreTexts = {};
for (const name of readdirSync(join(client, "locales")).sort()) {
  const catalogue = JSON.parse(readFileSync(join(client, "locales", name), "utf8"));
  launcher[name.slice(0, -5)] = catalogue.launcher;
  if (name !== "en.json") files[`v1/${name}`] = JSON.stringify(catalogue);
  else for (const key of CORE_TEXTS) coreTexts[key] = catalogue[key];
}
for (const [name, banner] of [["more", BANNER], ["qr", "/* Switchyard widget, with uqr (MIT, see NOTICE). Apache-2.0. */"]]) {
  const made = await build({ ...COMMON, entryPoints: [join(client, `${name}.ts`)], format: "esm", banner: { js: banner } });
  files[`v1/${name}.js`] = made.outputFiles[0].text;
}

// Browsers keep what is beside the script for good: what changes gets another address.
const version = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 10);
const core = await build({
  ...COMMON,
  entryPoints: [join(client, "main.ts")],
  format: "iife",
  banner: { js: BANNER },
  define: { CORE_TEXTS: JSON.stringify(coreTexts), LAUNCHER: JSON.stringify(launcher), VERSION: JSON.stringify(version) },
});
files["v1.js"] = core.outputFiles[0].text;
files["v1.d.ts"] = readFileSync(join(client, "v1.d.ts"), "utf8");

mkdirSync(join(into, "v1"), { recursive: true });
for (const [name, text] of Object.entries(files)) writeFileSync(join(into, name), text);
