"""Releases on a real Kubernetes: `make e2e`."""
