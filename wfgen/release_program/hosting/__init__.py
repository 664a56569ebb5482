"""GitHub and git: the event, the results of earlier jobs, the API, the log, outputs, summaries."""
