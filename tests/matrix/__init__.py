"""A matrix of projects: registry, cluster, trigger, platform, layout; all combinations of four.

`make matrix` renders all of them, judges every file, and checks every safety property. `make slow`,
and with it CI, does this for a few of them, chosen by the seed of the run.
"""
