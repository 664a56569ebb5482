"""The specs of a repository: their vocabulary, how they are read, how they refer to one another and
to the manifests, and the messages about what is wrong with them.
"""
