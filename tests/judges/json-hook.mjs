// Lets Node import the .json files inside the @actions packages, which lack the import attribute that Node asks for.
// Use: node --import ./json-hook.mjs SCRIPT ...
// https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

export async function load(url, context, nextLoad) {
  if (!url.endsWith(".json")) {
    return nextLoad(url, context);
  }
  const source = "export default " + readFileSync(fileURLToPath(url), "utf8");
  return { format: "module", shortCircuit: true, source };
}

// Node loads this file a second time, in the thread that runs the hooks; that copy must not register again.
if (!process.env.JSON_HOOKED) {
  process.env.JSON_HOOKED = "1";
  register(import.meta.url);
}
