"""Faults to put into this repository's generated workflows, one at a time."""

from __future__ import annotations

from dataclasses import dataclass

PRODUCTION = ".github/workflows/production.yml"
DEPLOY = ".github/workflows/_deploy.yml"
BUILD = ".github/workflows/_build.yml"
STAGING = ".github/workflows/staging.yml"
CLEANUP = ".github/workflows/staging-cleanup.yml"
WATCHDOG = ".github/workflows/watchdog.yml"


@dataclass(frozen=True)
class Fault:
    """A text that is replaced in a job, or above the jobs where `job` is ""."""

    name: str
    file: str
    job: str
    before: str
    after: str
    breaks: str = ""
    """The property that no longer holds; "" where verify finds nothing."""
    harmless: str = ""
    """Why a fault that is not found has no effect."""

    def put_into(self, text: str) -> str:
        """The file with the fault. Fails where the replaced text no longer exists."""
        start = text.index(f"\n  {self.job}:\n", text.index("\njobs:\n")) if self.job else 0
        at = text.find(self.before, start)
        later = [text.find(f"\n  {name}:", start + 1) for name in _jobs(text)]
        end = min((position for position in later if position > start), default=len(text))
        end = end if self.job else text.index("\njobs:\n")
        assert start <= at < end, f"{self.name}: {self.before!r} is no longer in {self.file}"
        return text[:at] + self.after + text[at + len(self.before) :]


def _jobs(text: str) -> list[str]:
    body = text.partition("\njobs:\n")[2]
    return [line[2:].partition(":")[0] for line in body.splitlines()
            if line.startswith("  ") and not line.startswith(("   ", "  #"))]  # fmt: skip


def _dropped(name: str, file: str, job: str, text: str, breaks: str) -> Fault:
    return Fault(f"{name} dropped", file, job, text, "", breaks)


LOCK = """    concurrency:
      group: release-production
      cancel-in-progress: false
      queue: max
"""
STAGING_LOCK = LOCK.replace(
    "release-production", "release-staging-${{ github.event.pull_request.number }}"
)

FAULTS = (
    # Conditions of the release.
    _dropped("always() of release", PRODUCTION, "release", "always() && ", "changes-are-released"),
    Fault("a run that proposes nothing does not enter the lock", PRODUCTION, "release",
          " || needs.plan.outputs.proposed == 'false'", "", "changes-are-released"),
    _dropped("failed builds of a preview", STAGING, "release",
          " && !contains(needs.*.result, 'failure')", "builds-before-deploy"),
    _dropped("cancelled builds of a preview", STAGING, "release",
          " && !contains(needs.*.result, 'cancelled')", "builds-before-deploy"),
    _dropped("!cancelled() of approve", PRODUCTION, "approve", "!cancelled() && ",
          "changes-are-released"),
    Fault("a build that the release does not need", STAGING, "release",
          "needs: [plan, build_server, build_client]", "needs: [plan, build_server]",
          "builds-before-deploy"),
    Fault("a wrong output name in approve", PRODUCTION, "approve",
          "needs.plan.outputs.proposed ==", "needs.plan.outputs.propose ==",
          "changes-are-released"),
    Fault("a wrong step in plan's outputs", PRODUCTION, "plan",
          "proposed: ${{ steps.plan.outputs.proposed }}",
          "proposed: ${{ steps.plans.outputs.proposed }}", "changes-are-released"),
    # Inside the release.
    Fault("a cancellation does not stop deploy", DEPLOY, "deploy", "!cancelled() }}",
          "always() }}", "refused-release-is-not-deployed"),
    _dropped("status function of deploy", DEPLOY, "deploy", "    if: ${{ !cancelled() }}\n",
          "changes-are-released"),
    Fault("a migration goes on after preflight failed", DEPLOY, "deploy",
          "      - name: Run the migrations\n        if: ${{ startsWith",
          "      - name: Run the migrations\n        if: ${{ always() && startsWith",
          "refused-release-is-not-deployed"),
    Fault("a migration goes on without preflight's output", DEPLOY, "deploy",
          "      - name: Run the migrations\n"
          "        if: ${{ startsWith(steps.preflight.outputs.proceed, 'true') }}\n",
          "      - name: Run the migrations\n", "refused-release-is-not-deployed"),
    Fault("a deploy goes on after its migration failed", DEPLOY, "deploy",
          "      - name: Apply the manifests\n        if: ${{ startsWith",
          "      - name: Apply the manifests\n        if: ${{ always() && startsWith",
          "refused-release-is-not-deployed"),
    Fault("a deploy goes on without preflight's output", DEPLOY, "deploy",
          "      - name: Apply the manifests\n"
          "        if: ${{ startsWith(steps.preflight.outputs.proceed, 'true') }}\n",
          "      - name: Apply the manifests\n", "refused-release-is-not-deployed"),
    Fault("continue-on-error on the migration", DEPLOY, "deploy",
          "      - name: Run the migrations\n",
          "      - name: Run the migrations\n        continue-on-error: true\n",
          "refused-release-is-not-deployed"),
    Fault("a wrong step in deploy's condition", DEPLOY, "deploy",
          "      - name: Apply the manifests\n        if: ${{ startsWith(steps.preflight.",
          "      - name: Apply the manifests\n        if: ${{ startsWith(steps.preflights.",
          "changes-are-released"),
    Fault("a wrong step in deploy's outputs", DEPLOY, "deploy",
          "proceed: ${{ steps.preflight.outputs.proceed }}",
          "proceed: ${{ steps.preflights.outputs.proceed }}", "changes-are-released"),
    Fault("monitor expects an output without its attempt", DEPLOY, "monitor",
          "needs.deploy.outputs.proceed == format('true@{0}', github.run_attempt)",
          "needs.deploy.outputs.proceed == 'true'", "changes-are-released"),
    Fault("deploy of monitor dropped", DEPLOY, "monitor", " && needs.deploy.result == 'success' && "
          "needs.deploy.outputs.proceed == format('true@{0}', github.run_attempt)) }}", ") }}",
          "every-deploy-is-monitored"),
    Fault("a wrong step in monitor's outputs", DEPLOY, "monitor",
          "verified: ${{ steps.monitor.outputs.verified }}",
          "verified: ${{ steps.watch.outputs.verified }}", "changes-are-released"),
    Fault("continue-on-error on monitor's job", DEPLOY, "monitor", "    runs-on:",
          "    continue-on-error: true\n    runs-on:",
          harmless="the rollback and the verdict read the monitor's output, not its result"),
    Fault("continue-on-error on deploy's job", DEPLOY, "deploy", "    runs-on:",
          "    continue-on-error: true\n    runs-on:", "every-deploy-is-monitored"),
    Fault("continue-on-error on preflight", DEPLOY, "deploy", "        id: preflight\n",
          "        id: preflight\n        continue-on-error: true\n",
          "refused-release-is-not-deployed"),
    # Previews, which no job rolls back.
    Fault("the record of a failed preview stays open", DEPLOY, "monitor",
          "inputs.number != '0' && needs.deploy.result != 'skipped'",
          "inputs.number != '0' && needs.deploy.result == 'success'", "rollback-runs"),
    Fault("the record of a cancelled preview stays open", DEPLOY, "monitor",
          "always() && (inputs.number", "!cancelled() && (inputs.number", "rollback-runs"),
    Fault("a preview with nothing to release is monitored", DEPLOY, "monitor",
          " && !(needs.deploy.result == 'success' && needs.deploy.outputs.proceed == "
          "format('false@{0}', github.run_attempt))", "", "changes-are-released"),
    # The rollback.
    Fault("failure() for always() on rollback", DEPLOY, "rollback", "always() && ",
          "failure() && ", "rollback-runs"),
    Fault("!cancelled() for always() on rollback", DEPLOY, "rollback", "always() && ",
          "!cancelled() && ", "rollback-runs"),
    _dropped("always() of rollback", DEPLOY, "rollback", "always() && ", "rollback-runs"),
    Fault("rollback only after a failed deploy", DEPLOY, "rollback",
          "!(needs.deploy.result == 'success' && needs.deploy.outputs.proceed == "
          "format('false@{0}', github.run_attempt))", "needs.deploy.result == 'failure'",
          "rollback-runs"),
    Fault("rollback only where preflight reports that it proceeds", DEPLOY, "rollback",
          "!(needs.deploy.result == 'success' && needs.deploy.outputs.proceed == "
          "format('false@{0}', github.run_attempt))",
          "startsWith(needs.deploy.outputs.proceed, 'true')", "rollback-runs"),
    Fault("rollback also where nothing is released", DEPLOY, "rollback",
          "format('false@{0}', github.run_attempt)", "'false'", "changes-are-released"),
    Fault("rollback after an attempt that was verified", DEPLOY, "rollback",
          "!= format('true@{0}', github.run_attempt)", "!= 'true'", "changes-are-released"),
    Fault("rollback does not need monitor", DEPLOY, "rollback",
          "needs: [deploy, monitor]", "needs: [deploy]", "changes-are-released"),
    _dropped("always() of rollback's step", DEPLOY, "rollback",
          "        id: rollback\n        if: ${{ always() }}\n", "rollback-runs"),
    Fault("approval on rollback", DEPLOY, "rollback", "name: ${{ inputs.environment }}",
          "name: ${{ inputs.environment }}-approval", "no-approval-during-release"),
    Fault("approval on deploy", DEPLOY, "deploy", "name: ${{ inputs.environment }}",
          "name: production-approval", "no-approval-during-release"),
    Fault("wrong rollback's output in the workflow's", DEPLOY, "",
          "value: ${{ jobs.rollback.outputs.restored }}",
          "value: ${{ jobs.rollback.outputs.restore }}", "revert-after-rollback"),
    Fault("the outputs of no rollback in the workflow's", DEPLOY, "",
          "toJSON(jobs.rollback.outputs)", "toJSON(jobs.deploy.outputs)", "every-run-is-reported"),
    Fault("the outputs of no monitor in the workflow's", DEPLOY, "",
          "toJSON(jobs.monitor.outputs)", "toJSON(jobs.deploy.outputs)", "changes-are-released"),
    # Locks.
    Fault("cancel-in-progress on the release", PRODUCTION, "release",
          "cancel-in-progress: false", "cancel-in-progress: true", "never-cancelled-by-newer-run"),
    Fault("cancel-in-progress by an expression", PRODUCTION, "release",
          "cancel-in-progress: false", "cancel-in-progress: ${{ github.ref != 'refs/heads/main' }}",
          "never-cancelled-by-newer-run"),
    Fault("cancel-in-progress on a preview", STAGING, "release",
          "cancel-in-progress: false", "cancel-in-progress: true", "never-cancelled-by-newer-run"),
    Fault("a workflow that newer runs cancel", PRODUCTION, "",
          "group: ${{ github.workflow }}-run-${{ github.run_id }}\n  cancel-in-progress: false",
          "group: ${{ github.workflow }}\n  cancel-in-progress: true",
          "never-cancelled-by-newer-run"),
    Fault("a lock by commit", PRODUCTION, "release", "group: release-production",
          "group: release-production-${{ github.sha }}", "one-lock"),
    Fault("a lock by run", STAGING, "release", "github.event.pull_request.number || ", "",
          "one-lock"),
    Fault("no lock on the release", PRODUCTION, "release", LOCK, "", "one-lock"),
    Fault("no queue on the release", PRODUCTION, "release", "      queue: max\n", "", "one-lock"),
    Fault("no lock on the teardown", CLEANUP, "teardown", STAGING_LOCK, "", "one-lock"),
    Fault("no queue on the watchdog", WATCHDOG, "restore_production", "      queue: max\n", "",
          "one-lock"),
    Fault("another lock for the watchdog", WATCHDOG, "restore_production",
          "group: release-production", "group: watchdog-production", "one-lock"),
    Fault("another lock for the teardown", CLEANUP, "teardown", "group: release-staging-",
          "group: teardown-staging-", "one-lock"),
    # What comes after.
    Fault("prune without the monitor's output", DEPLOY, "monitor",
          " && startsWith(steps.monitor.outputs.verified, 'true')", " && always()",
          "prune-after-verified"),
    Fault("prune of nothing", DEPLOY, "monitor", "startsWith(steps.monitor.outputs.verified",
          "startsWith(steps.monitor.outputs.verify", "changes-are-released"),
    Fault("a failed prune fails the release", DEPLOY, "monitor",
          "        continue-on-error: true\n", "", "prune-after-verified"),
    Fault("audit of good releases alone", PRODUCTION, "finish",
          "        id: audit\n        if: ${{ always() }}\n",
          "        id: audit\n        if: ${{ needs.release.result == 'success' }}\n",
          "release-is-recorded"),
    Fault("audit of no cancelled release", PRODUCTION, "finish",
          "        id: audit\n        if: ${{ always() }}\n",
          "        id: audit\n        if: ${{ needs.release.result != 'cancelled' }}\n",
          "release-is-recorded"),
    Fault("revert whatever caused the failure", PRODUCTION, "revert_pr",
          " && startsWith(needs.release.outputs.cause, 'app@')", "", "revert-after-rollback"),
    Fault("revert after going back", PRODUCTION, "revert_pr",
          "needs.plan.outputs.go_back == '0' && ", "", "revert-after-rollback"),
    Fault("revert whatever was restored", PRODUCTION, "revert_pr",
          " && (startsWith(needs.release.outputs.restored, 'all') || "
          "startsWith(needs.release.outputs.restored, 'except'))", "", "revert-after-rollback"),
    Fault("revert of whole rollbacks alone", PRODUCTION, "revert_pr",
          " || startsWith(needs.release.outputs.restored, 'except')", "",
          "revert-after-rollback"),
    _dropped("always() of revert", PRODUCTION, "revert_pr", "always() && ",
             "revert-after-rollback"),
    Fault("a revert that does not need the plan", PRODUCTION, "revert_pr",
          "needs: [plan, release]", "needs: [release]", "revert-after-rollback"),
    Fault("finish only after success", PRODUCTION, "finish", "    if: ${{ always() }}\n    runs-on",
          "    runs-on", "every-run-is-reported"),
    Fault("finish without the release", PRODUCTION, "finish", "approve, release, revert_pr",
          "approve, revert_pr", "every-run-is-reported"),
    Fault("finish without a build", PRODUCTION, "finish", "needs: [plan, build_server, ",
          "needs: [plan, ",
          harmless="what comes after a build has failed does not run, and finish reports that"),
    Fault("a verdict that does not see the revert", PRODUCTION, "revert_pr",
          "steps.revert.outputs.reverted", "steps.revert.outputs.revert", "every-run-is-reported"),
    Fault("notify only after success", PRODUCTION, "finish",
          "      - name: Notify\n        if: ${{ always() }}\n", "      - name: Notify\n",
          "every-run-is-reported"),
    Fault("notify after failures alone", PRODUCTION, "finish",
          "      - name: Notify\n        if: ${{ always() }}\n",
          "      - name: Notify\n        if: ${{ failure() }}\n", "every-run-is-reported"),
    Fault("verdict only after success", PRODUCTION, "finish",
          "release is verified\n        if: ${{ always() }}\n", "release is verified\n",
          "every-run-is-reported"),
    Fault("no verdict on what was cancelled", PRODUCTION, "finish", "    if: ${{ always() }}",
          "    if: ${{ !cancelled() }}", "every-run-is-reported"),
    Fault("verdict that cannot fail the run", PRODUCTION, "finish",
          "release is verified\n", "release is verified\n        continue-on-error: true\n",
          "green-means-verified"),
    # Untrusted code, previews, the watchdog.
    Fault("production on pull requests", PRODUCTION, "", "on:\n", "on:\n  pull_request:\n",
          "no-credentials-for-untrusted-code"),
    Fault("a token that writes on pull requests", STAGING, "finish", "contents: read",
          "contents: write", "no-credentials-for-untrusted-code"),
    Fault("a plan that writes comments", STAGING, "plan", "contents: read",
          "issues: write", "no-credentials-for-untrusted-code"),
    Fault("an identity token for what is not pushed", BUILD, "check", "contents: read",
          "id-token: write", "no-credentials-for-untrusted-code"),
    Fault("packages of what is not pushed", BUILD, "check", "contents: read",
          "packages: write", "no-credentials-for-untrusted-code"),
    Fault("forks build with the token that pushes", BUILD, "build", "    if: ${{ inputs.push }}\n",
          "", "no-credentials-for-untrusted-code"),
    Fault("all secrets for builds", STAGING, "build_server", "    with:\n",
          "    secrets: inherit\n    with:\n", "no-credentials-for-untrusted-code"),
    Fault("a preview for every pull request", STAGING, "release",
          "needs.plan.outputs.proposed == 'true'", "needs.plan.result == 'success'",
          "no-credentials-for-untrusted-code"),
    Fault("teardown for forks", CLEANUP, "teardown",
          " && github.event.pull_request.head.repo.full_name == github.repository", "",
          "no-credentials-for-untrusted-code"),
    Fault("teardown for Dependabot", CLEANUP, "teardown",
          " && github.event.pull_request.user.login != 'dependabot[bot]'", "",
          "no-credentials-for-untrusted-code"),
    Fault("previews by pull_request_target", STAGING, "", "  pull_request:\n",
          "  pull_request_target:\n", "no-credentials-for-untrusted-code"),
    Fault("an action at a tag", DEPLOY, "deploy",
          "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "actions/checkout@v7",
          "credentials-need-pinned-actions"),
    Fault("gate only after success", STAGING, "finish", "    if: ${{ always() }}\n    runs-on",
          "    runs-on", "every-run-is-reported"),
    Fault("gate's step only after success", STAGING, "finish",
          "any job failed\n        if: ${{ always() }}\n", "any job failed\n",
          "every-run-is-reported"),
    Fault("gate without the release", STAGING, "finish", "build_client, release]",
          "build_client]", "changes-are-released"),
    Fault("no teardown when a request is closed", CLEANUP, "", "types: [closed, unlabeled]",
          "types: [labeled]", "preview-torn-down"),
    Fault("no teardown when the label is removed", CLEANUP, "teardown",
          "github.event.action == 'closed' ||", "github.event.action == 'closed' &&",
          "preview-torn-down"),
    Fault("a teardown that never runs", CLEANUP, "teardown",
          "github.event_name == 'pull_request'", "github.event_name == 'pull_request_closed'",
          "preview-torn-down"),
    Fault("no schedule for remaining previews", CLEANUP, "",
          '  schedule:\n    - cron: "17 3 * * *"\n', "", "preview-torn-down"),
    Fault("a sweep with its condition reversed", CLEANUP, "sweep", "outputs.numbers != '[]'",
          "outputs.numbers == '[]'", "preview-torn-down"),
    Fault("no schedule for the watchdog", WATCHDOG, "",
          '  schedule:\n    - cron: "23 * * * *"\n', "", "every-environment-has-a-watchdog"),
    Fault("a watchdog of another workflow", WATCHDOG, "", "workflows: [production]",
          "workflows: [deployment]", "every-environment-has-a-watchdog"),
    Fault("a watchdog of failures alone", WATCHDOG, "inspect_production", "    runs-on:",
          "    if: ${{ github.event.workflow_run.conclusion == 'failure' }}\n    runs-on:",
          "every-environment-has-a-watchdog"),
    Fault("a watchdog that restores nothing", WATCHDOG, "restore_production",
          "outputs.left == 'true'", "outputs.found == 'true'",
          "every-environment-has-a-watchdog"),
    Fault("a watchdog that restores only where nobody has to act", WATCHDOG,
          "restore_production", "!cancelled() && ", "", "every-environment-has-a-watchdog"),
    # What verify does not find.
    Fault("approval of release dropped", PRODUCTION, "release",
          " && (needs.approve.result == 'success' || needs.plan.outputs.proposed == 'false')", "",
          harmless="it changes nothing: a rejected approval is a failure, which release reads"),
    Fault("plan of release dropped", PRODUCTION, "release",
          "needs.plan.result == 'success' && ", "",
          harmless="it changes nothing: release reads whether a job that it needs failed"),
    Fault("failed builds of release dropped", PRODUCTION, "release",
          " && !contains(needs.*.result, 'failure')", "",
          harmless="it changes nothing: approve has the same clause, and release reads it"),
    Fault("approve after a build failed", PRODUCTION, "approve",
          " && !contains(needs.*.result, 'failure')", "",
          harmless="a person is asked in vain: the release has the same clause"),
)  # fmt: skip
