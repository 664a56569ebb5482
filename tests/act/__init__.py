"""Runs the generated workflows under act, against a fake cluster and a fake GitHub."""
