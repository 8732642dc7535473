// Builds dist/kap-chat.js. `--check` compares it with the sources instead of writing it;
// `--tests FILE` writes a bundle of the inner parts for the tests.
import { gzipSync } from "node:zlib";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { parse } from "yaml";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "dist", "kap-chat.js");
const limit = 15 * 1024;

// The crisis lines travel inside the widget, so that help is there when the server is not.
// content/crisis_lines.yml stays the only place where a number is written down.
const crisisLines = {
  name: "crisis-lines",
  setup(build) {
    build.onResolve({ filter: /^crisis-lines$/ }, () => ({ path: "crisis-lines", namespace: "content" }));
    build.onLoad({ filter: /.*/, namespace: "content" }, () => {
      const file = join(here, "..", "content", "crisis_lines.yml");
      const content = parse(readFileSync(file, "utf8"));
      const countries = {};
      for (const [code, entry] of Object.entries(content.countries)) {
        countries[code] = {
          name: entry.name,
          call: entry.crisis_call,
          text: entry.crisis_text,
          emergency: entry.emergency,
          numbers: entry.numbers.map(({ label, tel, sms }) => ({
            label,
            ...(tel ? { tel } : {}),
            ...(sms ? { sms } : {}),
          })),
        };
      }
      const data = { fallback: content.default, countries };
      return { contents: JSON.stringify(data), loader: "json", watchFiles: [file] };
    });
  },
};

const smallStyle = {
  name: "small-style",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(readFileSync(path, "utf8"), {
        loader: "css",
        minify: true,
        target: "es2020",
      });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

async function bundle(entry, options = {}) {
  const result = await esbuild.build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    charset: "utf8",
    legalComments: "none",
    write: false,
    plugins: [crisisLines, smallStyle],
    ...options,
  });
  return result.outputFiles[0].text;
}

const [mode, file] = process.argv.slice(2);
if (mode === "--tests") {
  writeFileSync(file, await bundle("render.ts", { globalName: "kapParts" }));
} else {
  const code = `/*! kap-chat, Apache-2.0 */\n${await bundle("kap-chat.ts")}`;
  const size = gzipSync(code, { level: 9 }).length;
  console.log(`kap-chat.js: ${(size / 1024).toFixed(1)} KB gzipped of ${limit / 1024} KB`);
  if (size > limit) {
    console.error("It is too large.");
    process.exit(1);
  }
  if (mode !== "--check") {
    writeFileSync(output, code);
  } else if (readFileSync(output, "utf8") !== code) {
    console.error("dist/kap-chat.js is not what its sources make: run `make widget` and commit it.");
    process.exit(1);
  }
}
