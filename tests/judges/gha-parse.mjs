// GitHub's own workflow parser: what it refuses, GitHub refuses. Workflows only, no action.yml. Offline.
// Use: node --import ./json-hook.mjs gha-parse.mjs PACKAGE FILE...     (PACKAGE: a release of the parser)
// Prints one JSON object a line: {file, line, column, message}; lines and columns count from 1.
import { readFileSync } from "node:fs";

const [parser, ...files] = process.argv.slice(2);
const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import(parser);

// Read every part of the workflow, so that an error in one job does not hide those in the next, and the workflows that
// it calls: so the parser judges the references to them.
const TRY_ALL_PARTS = { errorPolicy: 1, fetchReusableWorkflowDepth: 1 };

const called = {
  getFileContent: async ({ path }) => ({ name: path, content: readFileSync(path, "utf8") }),
};

for (const file of files) {
  const content = readFileSync(file, "utf8");
  const result = parseWorkflow({ name: file, content }, new NoOperationTraceWriter());
  if (result.value) {
    await convertWorkflowTemplate(result.context, result.value, called, TRY_ALL_PARTS);
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
