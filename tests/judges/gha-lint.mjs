// GitHub's language service, the checks of its editor extension, for workflows and action.yml. Offline.
// Use: node --import ./json-hook.mjs gha-lint.mjs FILE...     (files below a .github folder)
// Prints one JSON object a line: {file, line, column, severity, message, rule}; lines and columns count from 1.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";

const SEVERITIES = ["", "error", "warning", "information", "hint"];

// Called workflows: those of this repository are read; one of another repository cannot be, and passes.
function workflowsBelow(root) {
  return {
    getFileContent: async (reference) => {
      if ("repository" in reference) {
        return { name: "remote", content: "on: workflow_call\njobs: {x: {runs-on: x, steps: [{run: x}]}}" };
      }
      return { name: reference.path, content: readFileSync(resolve(root, reference.path), "utf8") };
    },
  };
}

for (const file of process.argv.slice(2)) {
  const path = resolve(file);
  const root = path.split("/.github/")[0];
  const document = TextDocument.create("file://" + path, "yaml", 1, readFileSync(path, "utf8"));
  for (const found of await validate(document, { fileProvider: workflowsBelow(root) })) {
    const { line, character } = found.range.start;
    const severity = SEVERITIES[found.severity ?? 1];
    const message = found.message.split("\n")[0];
    console.log(JSON.stringify({ file, line: line + 1, column: character + 1, severity, message, rule: found.code ?? "" }));
  }
}
