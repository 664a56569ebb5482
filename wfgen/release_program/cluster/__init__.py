"""The Kubernetes cluster: kubectl, manifests, and the state of pods, Jobs, rollouts and health."""
