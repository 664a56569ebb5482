"""The commands of the release program, one module each. A module whose name begins with an
underscore is part of the command that imports it.
"""
