"""The release program that the generated pipelines run: standard library, git and kubectl."""
