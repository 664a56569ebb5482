"""The commands of `wfgen pins`."""
