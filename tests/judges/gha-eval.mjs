// GitHub's own expression engine. Offline.
// Use: node --import ./json-hook.mjs gha-eval.mjs < QUERIES
// Reads one JSON object a line, {expression, context, status}, and answers each with a line:
//   {value, text, runs}    the value, its text, and whether a job or step with this `if:` would run
//   {error}                what the engine says of an expression that it refuses
// `status` is the worst result among the jobs that are needed (success, failure or cancelled), which is what the
// functions success(), failure() and cancelled() look at.
import { createInterface } from "node:readline";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";

const STATUS_FUNCTIONS = ["always", "success", "failure", "cancelled"];
const NO_ARGUMENTS = ["always", "cancelled"];

function toExpressionData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (Array.isArray(value)) return new data.Array(...value.map(toExpressionData));
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  const pairs = Object.entries(value).map(([key, item]) => ({ key, value: toExpressionData(item) }));
  return new data.Dictionary(...pairs);
}

function isTruthy(result) {
  switch (result.kind) {
    case data.Kind.Null:
      return false;
    case data.Kind.Boolean:
      return result.value;
    case data.Kind.Number:
      return result.value !== 0 && !Number.isNaN(result.value);
    default:
      return result.coerceString() !== "";
  }
}

// The library has no status functions, since only a runner knows the status.
function functionsFor(status) {
  const statuses = STATUS_FUNCTIONS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: NO_ARGUMENTS.includes(name) ? 0 : 255,
    call: () => new data.BooleanData(name === "always" || name === status),
  }));
  const hash = { name: "hashFiles", minArgs: 1, maxArgs: 255, call: () => new data.StringData("0".repeat(64)) };
  return [...statuses, hash];
}

function evaluate({ expression, context = {}, status = "success" }) {
  const inner = /^\s*\$\{\{((?:(?!\}\})[\s\S])*)\}\}\s*$/.exec(expression)?.[1] ?? expression;
  const functions = functionsFor(status);
  const tokens = new Lexer(inner.trim()).lex().tokens;
  const tree = new Parser(tokens, Object.keys(context), functions).parse();
  const byName = new Map(functions.map((f) => [f.name.toLowerCase(), f]));
  const result = new Evaluator(tree, toExpressionData(context), byName).evaluate();
  // GitHub puts success() && before a condition that calls no status function.
  // https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
  const asksStatus = tokens.some(
    (token, i) => STATUS_FUNCTIONS.includes(token.lexeme.toLowerCase()) && tokens[i + 1]?.lexeme === "(",
  );
  const value = JSON.parse(JSON.stringify(result, data.replacer) ?? "null");
  return { value, text: result.coerceString(), runs: isTruthy(result) && (asksStatus || status === "success") };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = evaluate(JSON.parse(line));
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
