"""Checks of generated workflows: `rules` are limits of each file, `safety` is what a patch must not
break, `properties` is what must hold in every run. To add a check, open the `__init__.py` of one of
these three: it is the registry, and names the test to extend. `waivers` applies `safety` to
patches; `static` and `proof` apply `properties` to files and to the runs that `scenarios` makes.
"""
