"""What a pipeline does when jobs fail: one run for `wfgen simulate`, every run for `wfgen verify`.

`roles` has the purpose of each job, `program` the possible endings of the release program's
commands, `events` what can start a run, `scenario` the options of `simulate`. `explore` makes every
run that differs; a `story` is one run, and `aftermath` the state that it leaves. GitHub's rules are
in `wfgen.actions`.
"""
