// usage: node componentize.mjs JCO_API CORE_WASM WIT OUTPUT: a component of a core module, for the world "handler".
import { readFileSync, writeFileSync } from "node:fs";

const [api, core, wit, output] = process.argv.slice(2);
const { componentEmbed, componentNew } = await import(api);
const embedded = await componentEmbed({
  binary: readFileSync(core),
  witSource: readFileSync(wit, "utf8"),
  worldName: "handler",
});
writeFileSync(output, await componentNew(embedded, []));
