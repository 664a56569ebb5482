// GitHub's own workflow parser: what it refuses, GitHub refuses. Workflows only, no action.yml. Offline.
// Use: node --import ./json-hook.mjs gha-parse.mjs FILE...
// Prints one JSON object a line: {file, line, column, message}; lines and columns count from 1.
import { readFileSync } from "node:fs";
import { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } from "@actions/workflow-parser";

// Read every part of the workflow, so that an error in one job does not hide those in the next.
const TRY_ALL_PARTS = { errorPolicy: 1 };

for (const file of process.argv.slice(2)) {
  const content = readFileSync(file, "utf8");
  const result = parseWorkflow({ name: file, content }, new NoOperationTraceWriter());
  if (result.value) {
    await convertWorkflowTemplate(result.context, result.value, undefined, TRY_ALL_PARTS);
  }
  // Both passes add to the same list, some errors twice.
  const lines = new Set();
  for (const error of result.context.errors.getErrors()) {
    const { line = 1, column = 1 } = error.range?.start ?? {};
    lines.add(JSON.stringify({ file, line, column, message: error.rawMessage ?? error.message }));
  }
  for (const line of lines) {
    console.log(line);
  }
}
