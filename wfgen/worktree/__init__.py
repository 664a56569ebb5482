"""The files of a repository: how they differ from the generated files, which of them wfgen
generated, and how they are written: all or none.
"""
