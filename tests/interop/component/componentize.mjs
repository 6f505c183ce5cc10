// usage: node componentize.mjs JCO_API CORE_WASM WIT OUTPUT WORLD: a component of a core module.
import { readFileSync, writeFileSync } from "node:fs";

const [api, core, wit, output, worldName] = process.argv.slice(2);
const { componentEmbed, componentNew } = await import(api);
const embedded = await componentEmbed({
  binary: readFileSync(core),
  witSource: readFileSync(wit, "utf8"),
  worldName,
});
writeFileSync(output, await componentNew(embedded, []));
