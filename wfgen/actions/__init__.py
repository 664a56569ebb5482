"""What GitHub does with workflow files: which jobs run, why, and how the run ends.

It reads workflow YAML, not wfgen's plan, so it judges any workflow. This page is the contract.

    read = folder_reader(root)                              # or a dict's __getitem__
    workflow = read_workflow(".github/workflows/production.yml", read)
    simulator = Simulator(workflow, {"github": {...}, "inputs": {...}})
    run = simulator.run({"release/monitor": Outcome("failure", {"cause": "app"})})
    run.result("release/rollback")                          # "success"; run.began() is as quick
    run.jobs["release/rollback"].why                        # the condition, with its values
    run.conclusion                                          # "failure"

- A job's path is its id, below the ids of the jobs that call its workflow: `release/monitor`. Each
  job of the file and of the workflows that it calls is in `Run.jobs`, also where it or its caller
  is skipped. A job that calls a workflow is there too, with the aggregated result.
- A job without an outcome succeeds, with no outputs. Outcomes say what happens *once it runs*; the
  semantics decide whether it does. `Outcome` is a value: equal ones are one object. A job with a
  matrix has one outcome, or one for each combination, by GitHub's name: `test (linux, 20)`.
- An expression that fails (`fromJSON('')`) fails its job, and does not raise: see `JobRun.error`.
- A `Simulator` is made once per workflow and event, and run many times: what each job comes to is
  kept by what it can see. Runs of one simulator in which all is equal have equal `Run.states`.
- `Simulator.observed` names the outputs that can change a result: no other output can.
- `TABLE` lists every rule with its page, and which programs agree in the tests.

Errors: `WorkflowError` of a file, with path and line, also for its expressions; `ScenarioError` of
outcomes that cannot be (an unknown job or output, a rejection without an environment).
"""

from wfgen.actions.outcomes import SUCCESS, Cancellation, Kind, Outcome, Result, ScenarioError
from wfgen.actions.reading import Read, folder_reader, read_workflow
from wfgen.actions.rules import TABLE, Rule
from wfgen.actions.run import JobRun, Lock, Run
from wfgen.actions.simulator import Simulator
from wfgen.actions.states import State
from wfgen.actions.steps import StepRun
from wfgen.actions.workflow import Job, Step, Workflow, WorkflowError

__all__ = [
    "SUCCESS",
    "TABLE",
    "Cancellation",
    "Job",
    "JobRun",
    "Kind",
    "Lock",
    "Outcome",
    "Read",
    "Result",
    "Rule",
    "Run",
    "ScenarioError",
    "Simulator",
    "State",
    "Step",
    "StepRun",
    "Workflow",
    "WorkflowError",
    "folder_reader",
    "read_workflow",
]
