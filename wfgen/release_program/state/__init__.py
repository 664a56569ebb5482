"""What lasts between runs: the release record and stored manifests in the cluster, which decide,
and the tags that export both to git.
"""
