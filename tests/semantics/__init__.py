"""The workflow model against GitHub's expression engine, act and the documentation."""
