"""GitHub's rules that this package implements, each with its page and what confirms it."""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://docs.github.com/en/actions/"
SYNTAX = f"{DOCS}reference/workflows-and-actions/workflow-syntax"
EXPRESSIONS = f"{DOCS}reference/workflows-and-actions/expressions"
CONTEXTS = f"{DOCS}reference/workflows-and-actions/contexts"
REUSE = f"{DOCS}reference/workflows-and-actions/reusing-workflow-configurations"
CANCELLATION = f"{DOCS}reference/workflows-and-actions/workflow-cancellation"
DEPLOYMENTS = f"{DOCS}managing-workflow-runs-and-deployments/managing-deployments/"
DISCUSSIONS = "https://github.com/orgs/community/discussions/"
ISSUES = "https://github.com/actions/runner/issues/"


@dataclass(frozen=True)
class Rule:
    """One rule, in a sentence."""

    name: str
    text: str
    page: str
    """The page that documents it, or the issue in which GitHub's behaviour was observed."""
    witness: str = ""
    """Which program agrees in the tests: "engine" (GitHub's expression engine) or "act"; "" where
    only the page confirms the rule."""
    assumed: str = ""
    """What the page does not specify, and is assumed here."""


TABLE = (
    Rule(
        "expression",
        "Operators, functions, filters, case-insensitive comparison, and type conversion.",
        EXPRESSIONS,
        "engine",
    ),
    Rule(
        "condition",
        "GitHub adds `success() &&` before a condition without a status function.",
        f"{EXPRESSIONS}#status-check-functions",
        "act",
    ),
    Rule(
        "condition-text",
        "A condition with text outside its braces is a string, and true.",
        f"{SYNTAX}#jobsjob_idif",
        "act",
    ),
    Rule(
        "condition-error",
        "A job whose condition cannot be evaluated fails before it begins.",
        f"{EXPRESSIONS}#fromjson",
        assumed="The other jobs go on.",
    ),
    Rule(
        "success",
        "success() is true where all ancestors succeeded, not only the jobs needed directly.",
        f"{EXPRESSIONS}#success",
        "act",
    ),
    Rule(
        "skip",
        "A job below a skipped one is skipped, unless its condition has a status function.",
        f"{SYNTAX}#jobsjob_idneeds",
        "act",
    ),
    Rule("always", "always() is always true.", f"{EXPRESSIONS}#always", "act"),
    Rule(
        "failure",
        "failure() is true where any ancestor failed.",
        f"{EXPRESSIONS}#failure",
        "act",
    ),
    Rule(
        "cancelled",
        "cancelled() is true where the run is cancelled, not where one of its jobs is.",
        f"{EXPRESSIONS}#cancelled",
        "act",
    ),
    Rule(
        "needs",
        "A job sees results and outputs only of the jobs that it needs directly.",
        f"{CONTEXTS}#needs-context",
        "act",
    ),
    Rule(
        "outputs",
        "A job that fails has the outputs that it set before; one that is skipped has none.",
        f"{SYNTAX}#jobsjob_idoutputs",
        "act",
    ),
    Rule(
        "matrix",
        "A job with a matrix runs once for each combination, with include and exclude applied.",
        f"{SYNTAX}#jobsjob_idstrategymatrix",
        "act",
    ),
    Rule(
        "matrix-result",
        "A job with a matrix fails where one of its combinations fails.",
        f"{SYNTAX}#jobsjob_idstrategyfail-fast",
        "act",
        assumed="A cancelled combination outweighs one that succeeds.",
    ),
    Rule(
        "call",
        "A job that calls a workflow fails where one of the called jobs fails.",
        REUSE,
        "act",
        assumed="A cancelled job outweighs one that succeeds, which outweighs a skipped one.",
    ),
    Rule(
        "call-inputs",
        "A called workflow sees its inputs with their declared types, or their defaults.",
        f"{SYNTAX}#onworkflow_callinputs",
        "act",
    ),
    Rule(
        "call-outputs",
        "The outputs of a called workflow are those of the job that calls it.",
        f"{SYNTAX}#onworkflow_calloutputs",
        "act",
    ),
    Rule(
        "call-ancestors",
        "Ancestors include jobs across calls: a skipped ancestor of the caller skips called jobs "
        "without a status function, and a skipped called job skips jobs that need the caller.",
        f"{DISCUSSIONS}189172",
        assumed=f"The first part, from {ISSUES}2205, and the same for failure().",
    ),
    Rule(
        "steps",
        "A step without a status function runs where all steps before it succeeded; failure() is "
        "true where one failed.",
        f"{SYNTAX}#jobsjob_idstepsif",
        "act",
    ),
    Rule(
        "steps-outcome",
        "A step's conclusion is its outcome after continue-on-error; conclusions decide the job's.",
        f"{CONTEXTS}#steps-context",
        "act",
    ),
    Rule(
        "conclusion",
        "A run fails where a job failed.",
        f"{DOCS}how-tos/monitor-workflows/view-workflow-run-history",
        "act",
        assumed="A cancelled run ends as cancelled even where a job had failed.",
    ),
    Rule(
        "continue-on-error",
        "A job with continue-on-error that fails does not fail the run, and its needs.result is "
        "success.",
        f"{SYNTAX}#jobsjob_idcontinue-on-error",
        assumed=f"The result, from {ISSUES}1161.",
    ),
    Rule(
        "timeout",
        "A job that exceeds timeout-minutes is cancelled; the run goes on, cancelled() is false.",
        f"{SYNTAX}#jobsjob_idtimeout-minutes",
    ),
    Rule(
        "cancel-running",
        "When a run is cancelled, a running job whose condition still holds goes on.",
        CANCELLATION,
        assumed="For a called job its own condition decides, not the caller's.",
    ),
    Rule(
        "cancel-waiting",
        "A job that has not begun when the run is cancelled begins if its condition holds then.",
        CANCELLATION,
        assumed="success() and failure() are false then; otherwise it ends as skipped.",
    ),
    Rule(
        "environment",
        "A job whose environment's reviewers reject it, or do not answer in 30 days, fails.",
        f"{DEPLOYMENTS}reviewing-deployments",
    ),
    Rule(
        "concurrency",
        "One run or job of a group runs at a time; names ignore case. With cancel-in-progress "
        "a newer one cancels it; without `queue: max` a newer one drops those that wait.",
        f"{DOCS}how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency",
    ),
    Rule(
        "permissions",
        "A job's permissions replace the workflow's; a called job has at most its caller's.",
        f"{REUSE}#supported-keywords-for-jobs-that-call-a-reusable-workflow",
    ),
)
