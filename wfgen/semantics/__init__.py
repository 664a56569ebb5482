"""What GitHub does with workflow files: which jobs run, why, and how the run ends.

It reads workflow YAML, not wfgen's plan, so it judges any workflow. This page is the contract.

    read = folder_reader(root)                                   # or a dict's __getitem__
    workflow = read_workflow(".github/workflows/production.yml", read)
    simulator = Simulator(workflow, {"github": {...}, "inputs": {...}})
    run = simulator.run({"release/monitor": Outcome("failure")})
    run.jobs["release/rollback"].result                          # "success"
    run.jobs["release/rollback"].why                             # the condition, with its values
    run.conclusion                                               # "failure"

- A job's path is its id, below the ids of the jobs that call its workflow: `release/monitor`. Each
  job of the file and of the workflows that it calls has one entry in `Run.jobs`, also where it or
  its caller is skipped. A job that calls a workflow has an entry too, with the aggregated result.
- A job without an outcome succeeds, with no outputs. Outcomes say what happens *once it runs*; the
  semantics decide whether it does. `Outcome` is a value: compared and hashed by what it says.
- A `Simulator` is made once per workflow and event, and run many times: what a job comes to is
  kept by what it can see, so that equal things are the same object (`is`) in all runs of one
  simulator. A run of 25 jobs takes some 20 microseconds.
- `Simulator.observed` names the outputs that conditions read: no other output can change a result.
- `TABLE` lists every rule with its page, and who else vouches for it.

Errors: `WorkflowError` of a file (with path and line), `ExpressionError` of an expression,
`ScenarioError` of outcomes that cannot be (an unknown job, a rejection without an environment).
"""

from wfgen.semantics.rules import TABLE, Rule
from wfgen.semantics.run import (
    SUCCESS,
    Cancellation,
    JobRun,
    Lock,
    Outcome,
    Run,
    ScenarioError,
    Simulator,
)
from wfgen.semantics.workflow import (
    Job,
    Step,
    Workflow,
    WorkflowError,
    folder_reader,
    read_workflow,
)

__all__ = [
    "SUCCESS",
    "TABLE",
    "Cancellation",
    "Job",
    "JobRun",
    "Lock",
    "Outcome",
    "Rule",
    "Run",
    "ScenarioError",
    "Simulator",
    "Step",
    "Workflow",
    "WorkflowError",
    "folder_reader",
    "read_workflow",
]
