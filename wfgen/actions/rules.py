"""The rules of GitHub Actions that this package follows, each with its page and its witnesses."""

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
    """The page that says so, or the issue where GitHub's behaviour was seen."""
    witness: str = ""
    """Which program agrees in the tests: "engine" (GitHub's own expression engine) or "act". Where
    it is empty, the page alone vouches for the rule."""
    assumed: str = ""
    """What the page leaves open, and is assumed here."""


TABLE = (
    Rule(
        "expression",
        "Operators, functions, filters, comparison in any case, and what a value is taken for.",
        EXPRESSIONS,
        "engine",
    ),
    Rule(
        "condition",
        "A condition without a status function has success() && put before it.",
        f"{EXPRESSIONS}#status-check-functions",
        "act",
    ),
    Rule(
        "condition-text",
        "A condition with text beside its braces is a text, and true.",
        f"{SYNTAX}#jobsjob_idif",
        "act",
    ),
    Rule(
        "condition-error",
        "A job whose condition cannot be evaluated fails before it begins.",
        f"{EXPRESSIONS}#fromjson",
        assumed="That the other jobs go on.",
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
    Rule("always", "always() is true, whatever happened.", f"{EXPRESSIONS}#always", "act"),
    Rule(
        "failure",
        "failure() is true where any ancestor failed.",
        f"{EXPRESSIONS}#failure",
        "act",
    ),
    Rule(
        "cancelled",
        "cancelled() is true where the run is cancelled, not where a job of it is.",
        f"{EXPRESSIONS}#cancelled",
        "act",
    ),
    Rule(
        "needs",
        "A job sees results and outputs of the jobs that it needs directly, of no others.",
        f"{CONTEXTS}#needs-context",
        "act",
    ),
    Rule(
        "outputs",
        "A job that fails has the outputs that it had put out; one that is skipped has none.",
        f"{SYNTAX}#jobsjob_idoutputs",
        "act",
    ),
    Rule(
        "matrix",
        "A job with a matrix runs once for each combination, include and exclude considered.",
        f"{SYNTAX}#jobsjob_idstrategymatrix",
        "act",
    ),
    Rule(
        "matrix-result",
        "It fails where one of them fails.",
        f"{SYNTAX}#jobsjob_idstrategyfail-fast",
        "act",
        assumed="That a cancelled one outweighs one that succeeds.",
    ),
    Rule(
        "call",
        "A job that calls a workflow fails where one of the called jobs fails.",
        REUSE,
        "act",
        assumed="That a cancelled one outweighs one that succeeds, and that one a skipped one.",
    ),
    Rule(
        "call-inputs",
        "A called workflow sees its inputs by their type, or their defaults.",
        f"{SYNTAX}#onworkflow_callinputs",
        "act",
    ),
    Rule(
        "call-outputs",
        "Its outputs are those of the job that calls it.",
        f"{SYNTAX}#onworkflow_calloutputs",
        "act",
    ),
    Rule(
        "call-ancestors",
        "Ancestors are found through calls, both ways: a skip before the call skips called jobs "
        "without a status function, and a skip in the call those that need the caller.",
        f"{DISCUSSIONS}189172",
        assumed=f"The first direction, by {ISSUES}2205, and for failure() too.",
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
        "A step's conclusion is its outcome after continue-on-error, and conclusions make the job.",
        f"{CONTEXTS}#steps-context",
        "act",
    ),
    Rule(
        "conclusion",
        "A run fails where a job failed.",
        f"{DOCS}how-tos/monitor-workflows/view-workflow-run-history",
        "act",
        assumed="That a cancelled run ends as cancelled, also where a job had failed.",
    ),
    Rule(
        "continue-on-error",
        "A job with continue-on-error that fails does not fail the run, and its needs.result is "
        "success.",
        f"{SYNTAX}#jobsjob_idcontinue-on-error",
        assumed=f"The result, by {ISSUES}1161.",
    ),
    Rule(
        "timeout",
        "A job past its timeout-minutes is cancelled; the run goes on, cancelled() stays false.",
        f"{SYNTAX}#jobsjob_idtimeout-minutes",
    ),
    Rule(
        "cancel-running",
        "When a run is cancelled, a running job whose condition still holds goes on.",
        CANCELLATION,
        assumed="Of a called job its own condition counts, not that of the job that calls.",
    ),
    Rule(
        "cancel-waiting",
        "A job that has not begun when the run is cancelled begins if its condition holds then.",
        CANCELLATION,
        assumed="That success() and failure() are false then, and that it else ends as skipped.",
    ),
    Rule(
        "environment",
        "A job whose environment's reviewers reject it, or do not answer in 30 days, fails.",
        f"{DEPLOYMENTS}reviewing-deployments",
    ),
    Rule(
        "concurrency",
        "One run or job of a group at a time, by the group's name in any case; with "
        "cancel-in-progress a newer one cancels it, without `queue: max` it drops those that wait.",
        f"{DOCS}how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency",
    ),
    Rule(
        "permissions",
        "A job's permissions replace the workflow's; a called job has no more than its caller.",
        f"{REUSE}#supported-keywords-for-jobs-that-call-a-reusable-workflow",
    ),
)
