// Bundles the generated code and its runtime into one function, `dist/native/bindings.js`.

import { readFileSync } from "node:fs";

import { build } from "esbuild";

const runtime = "node_modules/uniffi-bindgen-react-native";
const version = JSON.parse(readFileSync(`${runtime}/package.json`, "utf8")).version;
const banner = `// Generated. It contains the runtime of uniffi-bindgen-react-native ${version}, under MPL-2.0: see LICENSES.md.
export function open(exports, panicked) {`;

/** The runtime can compile its calls by \`new Function\`, which is switched off, and which the policy of a page forbids anyway. */
const withoutEval = {
  name: "without-eval",
  setup(bundler) {
    bundler.onLoad({ filter: /runtimes[/\\]wasm[/\\]core[/\\]src[/\\]call\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replaceAll("new Function(", "withoutEval(");
      if (contents === source) throw new Error(`${path} has no \`new Function\` any more: remove this plugin`);
      const refuse = 'function withoutEval(..._: string[]): any { throw new Error("no code is made of text here"); }\n';
      return { contents: refuse + contents, loader: "ts" };
    });
  },
};

await build({
  entryPoints: ["src/native/entry.ts"],
  outfile: "dist/native/bindings.js",
  bundle: true,
  format: "iife",
  globalName: "bindings",
  target: "es2022",
  minifySyntax: true,
  legalComments: "none",
  tsconfigRaw: {},
  alias: {
    "@ubjs/core": `./${runtime}/typescript/dist/esm/index.js`,
    "@ubjs/wasm/core": `./${runtime}/runtimes/wasm/core/src/index.ts`,
  },
  // The runtime prints why Rust panicked: the app's log gets it.
  define: { "console.error": "panicked" },
  plugins: [withoutEval],
  banner: { js: banner },
  footer: { js: "return bindings.open(exports);}" },
  logLevel: "warning",
});

// The whole package in one file, for pages and extensions without a bundler. They serve it beside `saldo.wasm`.
await build({
  entryPoints: ["dist/index.js"],
  outfile: "dist/saldo.js",
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  legalComments: "none",
  tsconfigRaw: {},
  banner: { js: `// saldo (MIT OR Apache-2.0), with the runtime of uniffi-bindgen-react-native ${version} (MPL-2.0): see LICENSES.md.` },
  logLevel: "warning",
});
