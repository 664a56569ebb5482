"""What the run is started by and writes to: git, the GitHub API, the event, the results of earlier
jobs, the log, outputs and summaries.
"""
