"""The Kubernetes cluster: kubectl, rendered manifests, and the state of a rollout by its pods, Jobs
and health checks. Knows nothing of the release record.
"""
