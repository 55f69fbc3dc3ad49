// Bundles the console into hub/web/console, which is committed: `npm ci && npm run build` gives the same bytes everywhere.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = process.argv[2] ?? join(HERE, "../../hub/web/console");
const MODULES = "node_modules/";
const MIT = readFileSync(join(HERE, "node_modules/graphiql/LICENSE"), "utf8").replace(/^[^]*?(?=Permission is hereby)/, "").trim();

// GraphiQL's style holds two fonts as data, 300 KiB; the system's stand in for them
const withoutFonts = {
  name: "without-fonts",
  setup({ onLoad }) {
    onLoad({ filter: /graphiql\/dist\/style\.css$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replace(/@font-face\s*\{[^}]*\}/g, "");
      return { contents, loader: "css" };
    });
  },
};

const { outputFiles, metafile } = await build({
  absWorkingDir: HERE,
  entryPoints: { console: "src/main.jsx" },
  outdir: OUT,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  jsx: "automatic",
  legalComments: "none", // they stand in THIRD-PARTY, once
  loader: { ".graphql": "text" },
  alias: { "react-style-singleton": "./src/singleton.js" },
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [withoutFonts],
  metafile: true,
  write: false,
});

const named = (ending) => outputFiles.map((file) => relative(OUT, file.path)).find((name) => name.endsWith(ending));
const page = readFileSync(join(HERE, "src/index.html"), "utf8").replace("{style}", named(".css")).replace("{script}", named(".js"));

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const file of outputFiles) writeFileSync(file.path, file.contents);
writeFileSync(join(OUT, "index.html"), page);
writeFileSync(join(OUT, "THIRD-PARTY"), thirdParty(Object.keys(metafile.inputs)));
writeFileSync(join(OUT, "SOURCES"), sources());

/** The packages of which something is in the bundle, each with its version and its licence. */
function thirdParty(inputs) {
  const places = new Set(inputs.map(placeOf).filter(Boolean));
  const parts = [...places].sort().map((place) => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(HERE, place, "package.json"), "utf8"));
    const files = readdirSync(join(HERE, place)).sort().filter((each) => /^(licen[cs]e|notice)/i.test(each));
    const texts = files.map((file) => readFileSync(join(HERE, place, file), "utf8").trim().replaceAll("\r\n", "\n"));
    if (!files.length && license !== "MIT") throw new Error(`${name} holds no text of its licence, ${license}: look for it`);
    const owner = author?.name ?? author ?? `the makers of ${name}`;
    return `${name} ${version}\nLicence: ${license}\n\n${files.length ? texts.join("\n\n") : `Copyright (c) ${owner}\n\n${MIT}`}\n`;
  });
  return `The console at /graphiql is bundled from these packages.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function placeOf(path) {
  const at = path.lastIndexOf(MODULES);
  if (at < 0) return null;
  const [scope, name] = path.slice(at + MODULES.length).split("/");
  return path.slice(0, at + MODULES.length) + (scope.startsWith("@") ? `${scope}/${name}` : scope);
}

/** What it was built from, so that a test sees when it is to be built again. */
function sources() {
  const files = ["build.mjs", "package-lock.json", ...readdirSync(join(HERE, "src")).map((name) => `src/${name}`)].sort();
  return files.map((name) => `${createHash("sha256").update(readFileSync(join(HERE, name))).digest("hex")}  ${name}\n`).join("");
}
