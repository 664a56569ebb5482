"""GitHub's workflow model: which jobs of a workflow run, why, and how the run ends.

It reads workflow YAML, so it works for any workflow, and imports nothing of wfgen except `text`.

    read = folder_reader(root)                              # or a dict's __getitem__
    workflow = read_workflow(".github/workflows/production.yml", read)
    simulator = Simulator(workflow, {"github": {...}, "inputs": {...}})
    run = simulator.run({"release/monitor": Outcome("failure", {"cause": "app"})})
    run.result("release/rollback")                          # "success"
    run.jobs["release/rollback"].why                        # the condition, with its values
    run.conclusion                                          # "failure"

- A job's path is its id after the ids of the jobs that call its workflow: `release/monitor`.
  `Run.jobs` has each job of the file and of called workflows, including skipped jobs, and jobs that
  call a workflow, with the aggregated result.
- A job without an outcome succeeds, with no outputs. An outcome is what happens *if the job runs*;
  GitHub's rules decide whether it does. Equal outcomes are the same object. A job with a matrix has
  one outcome, or one for each combination, by GitHub's name: `test (linux, 20)`.
- An expression that fails (`fromJSON('')`) fails its job, and does not raise: see `JobRun.error`.
- Make one `Simulator` per workflow and event, and run it many times: it keeps the state of each job
  by what the job can see. Equal runs of one simulator have equal `Run.states`.
- `Simulator.observed` names the outputs that can change a result of another job.
- `TABLE` lists every rule with its page, and which programs agree in the tests.

Errors: `WorkflowError` for a file or an expression in it, with path and line; `ScenarioError` for
outcomes that are not possible (an unknown job or output, a rejection without an environment).
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
