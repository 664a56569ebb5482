"""What a run costs: jobs, jobs in series, fetches and logins, and the time to restore a release.

`fetches` measures bytes and seconds into fetches.json; `counts` plays runs of generated workflows
and counts; `restore` computes the time from a bad pod to the restored release; `page` writes
docs/cost.md from all three. Only `fetches` measures, so the page is the same on every machine.
"""
