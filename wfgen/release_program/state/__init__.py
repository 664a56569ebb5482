"""What is remembered between runs: the release record and the stored manifests in the cluster, and
the tags that export both to git.
"""
