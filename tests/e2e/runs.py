"""A run of the production pipeline: the commands of its jobs, by the conditions of these."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.proposal import propose
from wfgen.actions import (
    Cancellation,
    Kind,
    Outcome,
    Result,
    Simulator,
    folder_reader,
    read_workflow,
)
from wfgen.release_program.names import DEPLOY_WORKFLOW, Job, Variable

if TYPE_CHECKING:
    from tests.e2e.outputs import Outputs, Started
    from tests.e2e.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    Job.DEPLOY: ("preflight", "migrate", "deploy"),
    Job.MONITOR: ("monitor", "prune"),
    Job.ROLLBACK: ("rollback",),
}
"""The steps of `_deploy.yml` that run the release program. The first one of each job decides on
those that follow it, and its outputs are those of the job."""
DECIDES = {"preflight": "proceed", "monitor": "verified"}
"""An output of the first step; the others run where it is true."""
JUDGED = "verdict"


@dataclass(frozen=True)
class Interruption:
    """A run that is cut off in a command, by the signal that the command gets.

    SIGINT: the run is cancelled, and its later jobs run by their conditions. SIGKILL: the run is
    force-cancelled, or its runners are lost; nothing of it runs afterwards, and the outputs of the
    job never arrive. With `lost`, only this job's runner is lost: the job fails.
    """

    command: str
    signal: signal.Signals
    reached: Callable[[Shop, str], bool] | None = None
    """Whether the command is in the middle of its work, by the cluster and its output so far; None
    to cut the run off at the end of the command."""
    lost: bool = False

    @property
    def ends_run(self) -> bool:
        """Whether no job runs afterwards."""
        return self.signal == signal.SIGKILL and not self.lost


@dataclass
class Run:
    """A run of a commit: what its plan proposed, its builds, and the attempts of its release."""

    shop: Shop
    number: int
    sha: str
    needs: dict[str, Any]
    """Results and outputs of the plan and the builds."""
    force: bool = False
    approved: list[str] | None = None
    """Services whose release was approved; None where all that the plan proposed was."""
    attempt: int = 1
    done: dict[str, Outputs] = field(default_factory=dict)
    """What each command did. Names begin with the attempt from the second one on."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """How each job of `_deploy.yml` ended that ran."""

    @property
    def services(self) -> list[str]:
        """The services that the plan proposed."""
        names: list[str] = json.loads(self.needs[Job.PLAN]["outputs"]["services"])
        return names

    @property
    def environment(self) -> dict[str, str]:
        """The variables that identify the attempt."""
        return {Variable.RUN_ID: str(self.number), Variable.RUN_ATTEMPT: str(self.attempt)}

    def command(self, name: str, **more: str) -> Outputs:
        """Runs one command to its end."""
        return self.keep(name, self.start(name, **more).end())

    def start(self, name: str, **more: str) -> Started:
        """Starts one command."""
        return self.shop.start(name, self.sha, **self._inputs(name), **more)

    def release(
        self, *, until: str = "", cut: Interruption | None = None, judged: bool = True
    ) -> dict[str, Outputs]:
        """Runs the jobs of `_deploy.yml` and then the verdict; what each command did so far.

        `until` is the last command, after which the run waits.
        """
        self.shop.github.begin(self.number, self.attempt)
        cancelled = ""
        for job, commands in COMMANDS.items():
            if job in self.outcomes or not self._begins(job, cancelled):
                continue
            for command in commands:
                if cut and command == cut.command:
                    self._cut_off(cut)
                    cancelled = job if cut.signal == signal.SIGINT else ""
                    break
                outputs = self.last(command) or self.command(command)
                if outputs.code or command == until or not self._goes_on(command, outputs):
                    break
            if until in commands:
                return self.done
            self.outcomes[job] = self._ending(job, cut)
            if cut and cut.ends_run and cut.command in commands:
                return self.end()
        if judged:
            self.judge(cancelled)
        return self.end()

    def end(self) -> dict[str, Outputs]:
        """Ends the attempt, as GitHub's API then says; what each command did so far."""
        self.shop.github.end(self.number, self.attempt)
        return self.done

    def judge(self, cancelled: str = "") -> Outputs:
        """Runs the last step of job `finish`."""
        ran = self._simulate(cancelled)
        values = {job: json.dumps(dict(o.outputs)) for job, o in self.outcomes.items()}
        last = self.outcomes.get(Job.ROLLBACK, Outcome()).outputs
        values.update({name: last[name] for name in ("cause", "restored") if name in last})
        approve: dict[str, Any] = {
            "result": "success" if self._approved() else "skipped",
            "outputs": {},
        }
        ended = {
            **self.needs,
            Job.APPROVE: approve,
            Job.RELEASE: {"result": ran, "outputs": values},
        }
        audited = {"audit": {"outcome": "success", "conclusion": "success", "outputs": {}}}
        inputs = {Variable.NEEDS: json.dumps(ended), Variable.STEPS: json.dumps(audited)}
        return self.command(JUDGED, **inputs)

    def again(self, *, failed_only: bool) -> Run:
        """The next attempt: "Re-run failed jobs", or "Re-run all jobs".

        The first keeps what succeeded, its outputs included: the plan, the builds, and the jobs
        of `_deploy.yml` but those that failed or depend on one that did.
        """
        self.attempt += 1
        if not failed_only:
            self.needs, self.outcomes = propose(self.shop, self.sha, everything=True), {}
            self.approved = None
            return self
        # Each job here needs all before it.
        jobs = [job for job in COMMANDS if job in self.outcomes]
        failed = [n for n, job in enumerate(jobs) if self.outcomes[job].kind != "success"]
        for job in jobs[min(failed, default=len(jobs)) :]:
            del self.outcomes[job]
        return self

    def _inputs(self, name: str) -> dict[str, str]:
        """The variables of a command, as the generated workflows set them."""
        inputs = self.environment
        if name in COMMANDS[Job.DEPLOY]:
            inputs["SECRET_POSTGRES_PASSWORD"] = "placeholder-of-the-test"
        if name == "preflight":
            inputs |= {
                Variable.NEEDS: json.dumps(self.needs),
                Variable.SHA: self.sha,
                Variable.FORCE: "true" if self.force else "false",
                Variable.APPROVED: json.dumps(self._approved()),
                Variable.TOKEN: "stand-in",
            }
        return inputs

    def _approved(self) -> list[str]:
        return self.services if self.approved is None else self.approved

    def keep(self, name: str, outputs: Outputs) -> Outputs:
        """Adds what a command did in this attempt."""
        self.done[self._key(name)] = outputs
        return outputs

    def _key(self, name: str) -> str:
        return name if self.attempt == 1 else f"attempt {self.attempt}: {name}"

    def of_attempt(self) -> dict[str, Outputs]:
        """What each command did in this attempt, without the earlier ones."""
        begin = self._key("")
        return {
            n: o for n, o in self.done.items() if n.startswith(begin) and (begin or ": " not in n)
        }

    def last(self, name: str) -> Outputs | None:
        """What a command did in this attempt."""
        return self.done.get(self._key(name))

    def _goes_on(self, command: str, outputs: Outputs) -> bool:
        """Whether the steps after a command run."""
        return command not in DECIDES or outputs.values.get(DECIDES[command]) == "true"

    def _cut_off(self, cut: Interruption) -> None:
        """Starts a command and sends it a signal in the middle of its work, or at its end."""
        reached, started = cut.reached, self.start(cut.command)
        if reached is None:
            self.keep(cut.command, started.end())
            return
        self.shop.kube.wait(
            lambda: started.process.poll() is not None or reached(self.shop, started.log), 60
        )
        assert started.process.poll() is None, started.log
        outputs = self.keep(cut.command, started.cut_off(cut.signal))
        assert outputs.code not in (0, 1), outputs.log

    def _ending(self, job: str, cut: Interruption | None) -> Outcome:
        """The result of a job and its outputs, with their attempt."""
        commands = COMMANDS[job]
        ran = [outputs for name in commands if (outputs := self.last(name))]
        is_cut = cut is not None and cut.command in commands
        lost = is_cut and cut is not None and cut.signal == signal.SIGKILL
        if lost or any(outputs.code == -signal.SIGKILL for outputs in ran):
            return Outcome("failure")  # with its runner, its outputs are lost
        # A failure of `prune` does not fail the job: `continue-on-error`.
        failed = any(o.code for o, name in zip(ran, commands, strict=False) if name != "prune")
        kind: Kind = "cancelled" if is_cut else "failure" if failed else "success"
        return Outcome(kind, ran[0].written)

    def _simulator(self) -> Simulator:
        workflow = read_workflow(DEPLOY_WORKFLOW, folder_reader(ROOT))
        inputs = {"environment": "production", "number": "0"}
        return Simulator(workflow, {"github": {"run_attempt": str(self.attempt)}, "inputs": inputs})

    def _begins(self, job: str, cancelled: str) -> bool:
        """Whether a job's condition holds after those that ended."""
        cancellation = Cancellation(during=cancelled) if cancelled else None
        return self._simulator().run(self.outcomes, cancellation).began(job)

    def _simulate(self, cancelled: str) -> Result:
        """The result of the job that calls `_deploy.yml`."""
        cancellation = Cancellation(during=cancelled) if cancelled else None
        return self._simulator().run(self.outcomes, cancellation).conclusion


def _command(name: str) -> str:
    """The command of a name in `Run.done`."""
    return name.rpartition(": ")[2]
