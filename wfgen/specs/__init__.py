"""The specs of a repository: their vocabulary (`kinds/`), loading, the references between them and
to the manifests, and the messages about mistakes in them.
"""
