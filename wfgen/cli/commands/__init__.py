"""One module per command, imported when it runs. Its docstring is the command's help, `run` its
function: parameters are options, the result is the exit code.
"""
