"""What must hold of specs and of generated files: limits that GitHub sets, what a patch must not
break, and what has to be so in every run of a pipeline.
"""
