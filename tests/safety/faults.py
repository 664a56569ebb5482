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
    _dropped("approval of release", PRODUCTION, "release",
          " && needs.approve.result == 'success'", "refused-release-is-not-deployed"),
    Fault("result of images of release dropped", PRODUCTION, "release",
          " && needs.images.result == 'success'", "",
          harmless="it changes nothing: approve has the same clause, and release needs it"),
    _dropped("failed builds of images", PRODUCTION, "images",
          " && !contains(needs.*.result, 'failure')", "builds-before-deploy"),
    _dropped("cancelled builds of images", PRODUCTION, "images",
          " && !contains(needs.*.result, 'cancelled')", "builds-before-deploy"),
    _dropped("!cancelled() of images", PRODUCTION, "images", "!cancelled() && ",
          "changes-are-released"),
    Fault("a build that images do not need", PRODUCTION, "images",
          "needs: [plan, build_server, build_client]", "needs: [plan, build_server]",
          "builds-before-deploy"),
    Fault("a skipped job as an ancestor of approve", PRODUCTION, "approve",
          "!cancelled() && needs.plan", "needs.plan", "changes-are-released"),
    Fault("a wrong output name in release", PRODUCTION, "release",
          "needs.plan.outputs.any ==", "needs.plan.outputs.anything ==", "changes-are-released"),
    Fault("a wrong step in plan's outputs", PRODUCTION, "plan",
          "any: ${{ steps.plan.outputs.any }}", "any: ${{ steps.plans.outputs.any }}",
          "changes-are-released"),
    # Inside the release.
    Fault("a cancellation does not stop deploy", DEPLOY, "deploy", "!cancelled() && ",
          "always() && ", "refused-release-is-not-deployed"),
    Fault("deploy does not need migrate", DEPLOY, "deploy", "needs: [preflight, migrate]",
          "needs: [preflight]", "changes-are-released"),
    Fault("monitor does not need deploy", DEPLOY, "monitor", "needs: [preflight, deploy]",
          "needs: [preflight]", "changes-are-released"),
    _dropped("status function of deploy", DEPLOY, "deploy", "!cancelled() && ",
          "changes-are-released"),
    _dropped("migration of deploy", DEPLOY, "deploy", " && needs.migrate.result == 'success'",
          "refused-release-is-not-deployed"),
    Fault("migrate goes on without preflight's output", DEPLOY, "migrate",
          " && needs.preflight.outputs.proceed == 'true'", "", "refused-release-is-not-deployed"),
    Fault("a wrong output name in deploy", DEPLOY, "deploy", "outputs.proceed ==",
          "outputs.proceeds ==", "changes-are-released"),
    _dropped("status function of monitor", DEPLOY, "monitor", "!cancelled() && ",
          "changes-are-released"),
    _dropped("deploy of monitor", DEPLOY, "monitor", " && needs.deploy.result == 'success'",
          "every-deploy-is-monitored"),
    Fault("a wrong step in monitor's outputs", DEPLOY, "monitor",
          "verified: ${{ steps.monitor.outputs.verified }}",
          "verified: ${{ steps.watch.outputs.verified }}", "changes-are-released"),
    Fault("continue-on-error on monitor", DEPLOY, "monitor", "    runs-on:",
          "    continue-on-error: true\n    runs-on:", "rollback-runs"),
    Fault("continue-on-error on monitor's step", DEPLOY, "monitor", "        id: monitor\n",
          "        id: monitor\n        continue-on-error: true\n", "rollback-runs"),
    Fault("continue-on-error on deploy", DEPLOY, "deploy", "    runs-on:",
          "    continue-on-error: true\n    runs-on:", "every-deploy-is-monitored"),
    # The rollback.
    Fault("failure() for always() on rollback", DEPLOY, "rollback", "always() && ",
          "failure() && ", "rollback-runs"),
    Fault("!cancelled() for always() on rollback", DEPLOY, "rollback", "always() && ",
          "!cancelled() && ", "rollback-runs"),
    _dropped("always() of rollback", DEPLOY, "rollback", "always() && ", "rollback-runs"),
    Fault("rollback only after a failure", DEPLOY, "rollback",
          "needs.monitor.result != 'success'", "needs.monitor.result == 'failure'",
          "rollback-runs"),
    Fault("rollback only where preflight reports that it proceeds", DEPLOY, "rollback",
          "needs.preflight.outputs.proceed != 'false'", "needs.preflight.outputs.proceed == 'true'",
          "rollback-runs"),
    Fault("rollback does not need monitor", DEPLOY, "rollback",
          "needs: [preflight, deploy, monitor]", "needs: [preflight, deploy]",
          "changes-are-released"),
    _dropped("always() of rollback's step", DEPLOY, "rollback",
          "        id: rollback\n        if: ${{ always() }}\n", "rollback-runs"),
    Fault("approval on rollback", DEPLOY, "rollback", "name: ${{ inputs.environment }}",
          "name: ${{ inputs.environment }}-approval", "no-approval-during-release"),
    Fault("approval on preflight", DEPLOY, "preflight", "name: ${{ inputs.environment }}",
          "name: production-approval", "no-approval-during-release"),
    Fault("wrong rollback's output in the workflow's", DEPLOY, "",
          "jobs.rollback.outputs.restored", "jobs.rollback.outputs.restore",
          "revert-after-rollback"),
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
    Fault("no lock on the release", PRODUCTION, "release", LOCK, "", "one-lock"),
    Fault("no queue on the release", PRODUCTION, "release", "      queue: max\n", "", "one-lock"),
    Fault("no lock on prune", PRODUCTION, "prune", LOCK, "", "one-lock"),
    Fault("no lock on the teardown", CLEANUP, "teardown", STAGING_LOCK, "", "one-lock"),
    Fault("no queue on the watchdog", WATCHDOG, "production", "      queue: max\n", "", "one-lock"),
    Fault("another lock for the watchdog", WATCHDOG, "production", "group: release-production",
          "group: watchdog-production", "one-lock"),
    Fault("another lock for the teardown", CLEANUP, "teardown", "group: release-staging-",
          "group: teardown-staging-", "one-lock"),
    # What comes after.
    Fault("prune without the monitor's output", PRODUCTION, "prune",
          " && needs.release.outputs.verified == 'true'", "", "prune-after-verified"),
    _dropped("always() of audit", PRODUCTION, "audit", "always() && ", "release-is-recorded"),
    Fault("audit of good releases alone", PRODUCTION, "audit",
          " || needs.release.result == 'failure' || needs.release.result == 'cancelled'", "",
          "release-is-recorded"),
    Fault("audit of no cancelled release", PRODUCTION, "audit",
          " || needs.release.result == 'cancelled'", "", "release-is-recorded"),
    Fault("revert whatever caused the failure", PRODUCTION, "revert_pr",
          " && needs.release.outputs.cause == 'app'", "", "revert-after-rollback"),
    Fault("revert after going back", PRODUCTION, "revert_pr",
          "needs.plan.outputs.go_back == '' && ", "", "revert-after-rollback"),
    Fault("revert whatever was restored", PRODUCTION, "revert_pr",
          " && (needs.release.outputs.restored == 'all' || "
          "startsWith(needs.release.outputs.restored, 'except'))", "", "revert-after-rollback"),
    _dropped("always() of revert", PRODUCTION, "revert_pr", "always() && ",
             "revert-after-rollback"),
    Fault("a revert that does not need the plan", PRODUCTION, "revert_pr",
          "needs: [plan, images, release]", "needs: [images, release]", "revert-after-rollback"),
    Fault("verdict only after success", PRODUCTION, "verdict", "    if: ${{ always() }}\n", "",
          "every-run-is-reported"),
    Fault("verdict without the release", PRODUCTION, "verdict",
          "approve, release, audit", "approve, audit", "every-run-is-reported"),
    Fault("a verdict that does not see the revert", PRODUCTION, "revert_pr",
          "steps.revert.outputs.reverted", "steps.revert.outputs.revert", "every-run-is-reported"),
    Fault("notify only after success", PRODUCTION, "notify", "    if: ${{ always() }}\n", "",
          "every-run-is-reported"),
    Fault("notify after failures alone", PRODUCTION, "notify", "if: ${{ always() }}",
          "if: ${{ failure() }}", "every-run-is-reported"),
    Fault("no verdict on what was cancelled", PRODUCTION, "verdict", "if: ${{ always() }}",
          "if: ${{ !cancelled() }}", "every-run-is-reported"),
    Fault("notify without the release", PRODUCTION, "notify",
          "approve, release, audit", "approve, audit", "every-run-is-reported"),
    # Untrusted code, previews, the watchdog.
    Fault("production on pull requests", PRODUCTION, "", "on:\n", "on:\n  pull_request:\n",
          "no-credentials-for-untrusted-code"),
    Fault("a token that writes on pull requests", STAGING, "gate", "contents: read",
          "contents: write", "no-credentials-for-untrusted-code"),
    Fault("an identity token for builds", BUILD, "build", "packages: write",
          "id-token: write", "no-credentials-for-untrusted-code"),
    Fault("all secrets for builds", STAGING, "build_server", "    with:\n",
          "    secrets: inherit\n    with:\n", "no-credentials-for-untrusted-code"),
    Fault("teardown for forks", CLEANUP, "teardown",
          " && github.event.pull_request.head.repo.full_name == github.repository", "",
          "no-credentials-for-untrusted-code"),
    Fault("teardown for Dependabot", CLEANUP, "teardown",
          " && github.event.pull_request.user.login != 'dependabot[bot]'", "",
          "no-credentials-for-untrusted-code"),
    Fault("an action at a tag", DEPLOY, "deploy",
          "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "actions/checkout@v7",
          "credentials-need-pinned-actions"),
    Fault("gate only after success", STAGING, "gate", "    if: ${{ always() }}\n", "",
          "every-run-is-reported"),
    Fault("gate without the release", STAGING, "gate", "images, release]", "images]",
          "changes-are-released"),
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
          '  schedule:\n    - cron: "*/15 * * * *"\n', "", "every-environment-has-a-watchdog"),
    Fault("a watchdog of another workflow", WATCHDOG, "", "workflows: [production]",
          "workflows: [deployment]", "every-environment-has-a-watchdog"),
    Fault("a watchdog of failures alone", WATCHDOG, "production", "    runs-on:",
          "    if: ${{ github.event.workflow_run.conclusion == 'failure' }}\n    runs-on:",
          "every-environment-has-a-watchdog"),
    # What verify does not find.
    Fault("rollback where preflight was skipped", DEPLOY, "rollback",
          "needs.preflight.result != 'skipped' && ", "",
          harmless="the rollback reads the record, which no job of this run opened"),
    Fault("rollback where preflight refused", DEPLOY, "rollback",
          "needs.preflight.outputs.proceed != 'false' && ", "",
          harmless="the rollback reads the record, which no job of this run opened"),
    Fault("deploy goes on without preflight's output", DEPLOY, "deploy",
          " && needs.preflight.outputs.proceed == 'true'", "",
          harmless="it changes nothing: migrate has the same clause, and deploy needs its success"),
    Fault("a preview's release for forks", STAGING, "release",
          " && needs.plan.outputs.trusted == 'true'", "",
          harmless="it changes nothing: images has the same clause, and release needs its success"),
    Fault("images in a cancelled run", PRODUCTION, "images", "!cancelled() && ", "always() && ",
          harmless="digests are collected; preflight does not begin in a cancelled run"),
    Fault("verdict that cannot fail the run", PRODUCTION, "verdict", "    runs-on:",
          "    continue-on-error: true\n    runs-on:",
          harmless="in each run that the verdict fails, another job has failed already"),
    Fault("rollback does not need deploy", DEPLOY, "rollback",
          "needs: [preflight, deploy, monitor]", "needs: [preflight, monitor]",
          harmless="it changes nothing: monitor needs deploy"),
)  # fmt: skip
