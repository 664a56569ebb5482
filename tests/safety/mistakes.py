"""Mistakes found in real pipelines, each as small as possible, for `verify --workflow`."""

from __future__ import annotations

from dataclasses import dataclass

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"

VALID = """\
name: deploy
on:
  push:
    branches: [main]
concurrency: {group: deploy, cancel-in-progress: false}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make image # wfgen: build
  deploy:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - run: kubectl apply -f kube # wfgen: deploy
      - run: kubectl rollout status deployment/shop # wfgen: monitor
      - if: always() && job.status != 'success'
        run: kubectl apply -f good # wfgen: rollback
"""
"""A pipeline without mistakes."""


@dataclass(frozen=True)
class Mistake:
    """The valid pipeline with one text replaced."""

    name: str
    before: str
    after: str
    breaks: str

    @property
    def text(self) -> str:
        assert self.before in VALID, self.name
        return VALID.replace(self.before, self.after)


LOCK = "concurrency: {group: deploy, cancel-in-progress: false}\n"
ROLLBACK = """\
      - if: always() && job.status != 'success'
        run: kubectl apply -f good # wfgen: rollback
"""

APART = """\
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make image # wfgen: build
  deploy:
    needs: build
    runs-on: ubuntu-24.04
    concurrency: deploy
    steps:
      - run: kubectl apply -f kube # wfgen: deploy
      - run: kubectl rollout status deployment/shop # wfgen: monitor
  rollback:
    needs: deploy
    if: always() && needs.deploy.result != 'success' && needs.deploy.result != 'skipped'
    runs-on: ubuntu-24.04
    concurrency: deploy
    steps:
      - run: kubectl apply -f good # wfgen: rollback
"""

MISTAKES = (
    Mistake("a lock on each job alone", VALID[VALID.index(LOCK):], APART, "one-lock"),
    Mistake("a rollback without a status function", "always() && ", "", "rollback-runs"),
    Mistake(
        "a rollback after failures alone", "always() && job.status != 'success'", "failure()",
        "rollback-runs",
    ),
    Mistake("no rollback at all", ROLLBACK, "", "rollback-runs"),
    Mistake(
        "a rollback in a job that is skipped", ROLLBACK,
        "  rollback:\n    needs: deploy\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: kubectl apply -f good # wfgen: rollback\n",
        "rollback-runs",
    ),
    Mistake(
        "two workloads deployed and one monitored",
        "# wfgen: deploy\n      - run: kubectl rollout status deployment/shop # wfgen: monitor\n",
        "# wfgen: deploy server, worker\n"
        "      - run: kubectl rollout status deployment/server # wfgen: monitor server\n",
        "every-deploy-is-monitored",
    ),
    Mistake(
        "no monitor", "      - run: kubectl rollout status deployment/shop # wfgen: monitor\n",
        "", "every-deploy-is-monitored",
    ),
    Mistake("a lock by commit", "group: deploy,", "group: 'deploy-${{ github.sha }}',", "one-lock"),
    Mistake("no lock", LOCK, "", "one-lock"),
    Mistake("a deploy that newer runs cancel", "in-progress: false", "in-progress: true",
            "never-cancelled-by-newer-run"),
    Mistake("a deploy on pull_request", "  push:\n    branches: [main]\n", "  pull_request:\n",
            "no-credentials-for-untrusted-code"),
    Mistake(
        "credentials for an action at a branch", "      - run: kubectl apply -f kube #",
        "      - uses: azure/k8s-set-context@main\n"
        "        with: {kubeconfig: '${{ secrets.KUBECONFIG }}'}\n"
        "      - run: kubectl apply -f kube #",
        "credentials-need-pinned-actions",
    ),
    Mistake("a deploy without its build", "    needs: build\n", "", "builds-before-deploy"),
    Mistake("a deploy after a failed build", "    needs: build\n",
            "    needs: build\n    if: always()\n", "builds-before-deploy"),
    Mistake(
        "a monitor that cannot fail the run",
        "      - run: kubectl rollout status deployment/shop # wfgen: monitor\n",
        "      - run: kubectl rollout status deployment/shop # wfgen: monitor\n"
        "        continue-on-error: true\n",
        "green-means-verified",
    ),
    Mistake(
        "a rollback that waits for reviewers", ROLLBACK,
        "  rollback:\n    needs: deploy\n    if: always() && needs.deploy.result != 'success'\n"
        "    environment: production-approval\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: kubectl apply -f good # wfgen: rollback\n",
        "no-approval-during-release",
    ),
)  # fmt: skip
