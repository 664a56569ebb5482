"""The files of a repository: how the committed ones differ from the generated ones, which of them
are ours, and how all of them are written or none.
"""
