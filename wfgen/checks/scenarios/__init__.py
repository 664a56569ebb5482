"""What a generated pipeline does when things go wrong: one run, or all of them.

`roles` says what each job is for, `program` what the release program can say, `events` what can
start a run, `scenario` what was asked for, `explore` makes every run that differs, `aftermath` says
what the cluster is on then. GitHub's rules themselves are in `wfgen.actions`.
"""
