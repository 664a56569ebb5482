"""The generated workflows under act, released to a real Kubernetes."""
