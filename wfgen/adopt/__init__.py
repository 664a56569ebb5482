"""From what a person says of a service to its first files: a spec, manifests, a first program."""
