"""What a pipeline does when jobs fail: one run for `wfgen simulate`, every run for `wfgen verify`.

`roles` has the purpose of each job and step, `program` the possible endings of the release
program's commands (`ending` defines one; `plans` and `releases` have those of the larger commands),
`events` what can start a run, `scenario` and `options` the options of `simulate`. `choices` has all
that can happen to a job, `explore` makes every run that differs; a `story` is one run, `aftermath`
the state that it leaves. GitHub's rules are in `wfgen.actions`.
"""
